import RelevanceTensors

/// `exp(x) / Σ exp(x)` along an axis, or its logarithm.
package struct Softmax: Operator, Hashable {
  /// The axis; a negative axis counts from the end.
  package let axis: Int
  /// Whether all axes from `axis` on are normalized together, as ONNX did before opset 13.
  package let joinsTrailingAxes: Bool
  package let isLogarithm: Bool

  package init(axis: Int, joinsTrailingAxes: Bool, isLogarithm: Bool = false) {
    (self.axis, self.joinsTrailingAxes, self.isLogarithm) = (axis, joinsTrailingAxes, isLogarithm)
  }

  package var kind: OperatorKind { isLogarithm ? .logSoftmax : .softmax }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    _ = try counted(axis, rank: max(x.rank, 1))
    return x
  }
  package func origin(of operands: [Inferred]) throws -> Origin {
    let rank = max(try firstShape(operands).rank, 1)
    let axis = try counted(axis, rank: rank)
    return .mixed(joinsTrailingAxes ? Set(axis..<rank) : [axis])
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { !isLogarithm }
  package func range(at site: RangeSite) -> ValueRange? {
    isLogarithm ? nil : ValueRange(0, 1, rank: site.output.shape.rank)
  }
}
