import RelevanceTensors

/// `x` where it is positive, otherwise `slope · x`, with a learned slope that broadcasts to the operand's shape.
package struct ParametricRelu: LimitKeeping {
  package let slope: Tensor
  package init(slope: Tensor) { self.slope = slope }

  package var kind: OperatorKind { .prelu }
  package var parameters: [Tensor] { [slope] }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    guard try broadcastShape(x, slope.shape) == x else {
      throw Misfit("a slope of shape \(slope.shape) does not broadcast to \(x)")
    }
    return x
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func range(at site: RangeSite) -> ValueRange? {
    ValueRange(lower: slope, upper: slope).flatMap { slopes in
      site.range(0)?.combined(with: slopes) { x, slope in LeakyRelu(alpha: slope.lower).interval(x) }
    }
  }
}
