import RelevanceTensors

/// What is known of a node's output before the network runs.
package struct Inferred: Sendable {
  package let shape: TensorShape
  /// The value, where it follows from constants and shapes.
  package let literal: Literal?
  package let kind: ElementKind

  /// Something that is not known, of the given shape.
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
