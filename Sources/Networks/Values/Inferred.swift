import Tensors

/// What is known of a node's output before the network runs.
public struct Inferred: Sendable {
  /// The extents.
  public let shape: Shape
  /// The value, where it follows from constants and shapes.
  public let literal: Literal?
  /// What the elements are.
  public let kind: ElementKind

  /// Something that is not known, of the given shape.
  package init(_ shape: Shape, _ kind: ElementKind = .real) {
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
