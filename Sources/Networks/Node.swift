/// One operation of a graph and where its operands come from.
public struct Node: Sendable {
  /// A node's position in its graph; operands always have smaller positions.
  public struct ID: Hashable, Comparable, Sendable {
    /// The position, from 0.
    public let index: Int
    /// Names the node at a position.
    package init(_ index: Int) { self.index = index }
    public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
  }

  /// The name the node has in the model file, or the name of its output where the file gives none; unique in its graph.
  public let name: String
  package let operation: any Operator
  /// The nodes whose outputs it takes, in order.
  public let inputs: [ID]
  /// Names of nodes that a rewrite merged into this one, so that users can still speak of them.
  public internal(set) var aliases: [String]
  /// What the node's values are times −1, if a rewrite has moved signs.
  package let turned: TurnedValues?

  package init(
    name: String, operation: any Operator, inputs: [ID], aliases: [String] = [], turned: TurnedValues? = nil
  ) {
    (self.name, self.operation, self.inputs) = (name, operation, inputs)
    (self.aliases, self.turned) = (aliases, turned)
  }

  /// The family of the node's operator.
  public var kind: OperatorKind { operation.kind }
}
