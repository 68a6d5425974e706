import Tensors

/// What is known of a node's output before the network runs.
package struct Inferred: Sendable {
  /// The extents.
  package let shape: TensorShape
  /// The value, where it follows from constants and shapes.
  package let literal: Literal?
  /// What the elements are.
  package let kind: ElementKind

  /// Something that is not known, of the given shape.
  package init(_ shape: TensorShape, _ kind: ElementKind = .real) {
    self.shape = shape
    self.kind = kind
    literal = nil
  }

  /// A known value.
  package init(_ literal: Literal) {
    shape = literal.shape
    kind = literal.kind
    self.literal = literal
  }
}
