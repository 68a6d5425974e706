import RelevanceTensors

/// The real numbers that result from quantizing a tensor to 256 steps between its own minimum and maximum, and
/// dequantizing it.
///
/// Steps are treated as constants and rounding is ignored, so that derivatives are 1 and relevance passes through. One
/// step size applies to the whole batch, as in ONNX. The slight dependence of a batch's items on one another is
/// ignored.
package struct DynamicQuantize: Operator {
  package init() {}
  package var kind: OperatorKind { .dynamicQuantizeLinear }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .real }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try operand(operands) }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  /// The steps depend on every element.
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    operands.map { ElementSet(allOf: $0.shape) }
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let x = operands.first?.literal?.floats else { return nil }
    let (scale, zero) = x.withUnsafeElements { Self.steps(from: $0.min() ?? 0, to: $0.max() ?? 0) }
    return .floats(x.map { Self.value(of: $0, scale, zero) })
  }

  /// The steps for elements between two numbers.
  package static func steps(from lowest: Float, to highest: Float) -> (scale: Float, zero: Float) {
    let (lowest, highest) = (min(lowest, 0), max(highest, 0))
    let scale = lowest == highest ? 1 : (highest - lowest) / 255
    return (scale, min(max(-lowest / scale, 0), 255).rounded(.toNearestOrEven))
  }

  package static func value(of x: Float, _ scale: Float, _ zero: Float) -> Float {
    (min(max((x / scale).rounded(.toNearestOrEven) + zero, 0), 255) - zero) * scale
  }
}
