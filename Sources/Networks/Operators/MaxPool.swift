import Tensors

/// Maximum over a window, batch × channels × space; padding never wins.
package struct MaxPool: Operator {
  package let window: Window
  package init(_ window: Window) { self.window = window }

  package var kind: OperatorKind { .maxPool }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    try window.pooledShape(of: operand(operands))
  }
  package var channels: ChannelPosition? { .second }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed(window.axes) }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func isBounded(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func range(at site: RangeSite) -> ValueRange? { site.range(0)?.hull(along: Array(window.axes)) }
}

extension OperatorKind {
  /// Maximum over a window of the spatial axes.
  public static let maxPool = OperatorKind("MaxPool", .maximum)
}
