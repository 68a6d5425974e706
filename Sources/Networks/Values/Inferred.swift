import RelevanceTensors

/// The properties of a node's output that are known before the network runs.
package struct Inferred: Sendable {
  package let shape: TensorShape
  /// The value, if it follows from constants and shapes.
  package let literal: Literal?
  package let kind: ElementKind

  /// An unknown value of the given shape.
  package init(_ shape: TensorShape, _ kind: ElementKind = .real) {
    (self.shape, self.kind) = (shape, kind)
    literal = nil
  }

  package init(_ literal: Literal) {
    shape = literal.shape
    kind = literal.kind
    self.literal = literal
  }
}
