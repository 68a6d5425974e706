import RelevanceTensors

/// The nearest integer of a type that represents a real number: `round(x / scale) + zero`, within limits; ties round to
/// even.
///
/// Its derivative is that of `x / scale + zero` within the limits and 0 beyond them (“straight-through”), so that
/// quantizing and dequantizing together have derivative 1. The true derivative is 0 almost everywhere. Rule `pass`
/// ignores rounding in the same way.
package struct Quantize: Operator {
  package let steps: QuantizationSteps
  package let type: IntegerType
  /// The smallest and the largest integer of the type, or of a type with fewer bits that is stored in it.
  package let limits: ClosedRange<Int>

  package init(_ steps: QuantizationSteps, to type: IntegerType, limits: ClosedRange<Int>? = nil) {
    (self.steps, self.type) = (steps, type)
    self.limits = limits ?? type.lowest...type.highest
  }

  package var kind: OperatorKind { .quantizeLinear }
  package var parameters: [Tensor] { [steps.scale, steps.zero] }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .integer(type) }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    try steps.check(x)
    return x
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool {
    limits.lowerBound >= 0 || operands.first == true && steps.zero.allElements { $0 >= 0 }
  }

  package func quantized(_ x: Float, _ scale: Float, _ zero: Float) -> Float {
    let (lowest, highest) = (Float(limits.lowerBound), Float(limits.upperBound))
    return min(max(x / scale, lowest - zero), highest - zero).rounded(.toNearestOrEven) + zero
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let x = operands.first?.literal?.floats else { return nil }
    try steps.check(x.shape)
    let integers = steps.map(x) { quantized($0, $1, $2) }.elements.map { type.held($0) }
    return .integers(IntegerTensor(shape: x.shape, elements: integers, kind: .integer(type)))
  }

  package func range(at site: RangeSite) -> ValueRange? {
    steps.range(site.range(0)) { x, scale, zero in
      guard scale > 0 else { return nil }
      return Interval(quantized(x.lower, scale, zero), quantized(x.upper, scale, zero))
    }
  }
}
