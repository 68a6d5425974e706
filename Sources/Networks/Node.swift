/// One operation of a graph and its operands.
public struct Node: Sendable {
  /// A node's position in its graph. Operands always have smaller positions.
  public struct ID: Hashable, Comparable, Sendable {
    /// The position, starting at 0.
    public let index: Int
    /// Creates the identifier of the node at a position.
    package init(_ index: Int) { self.index = index }
    public static func < (a: ID, b: ID) -> Bool { a.index < b.index }
  }

  /// The name of the node in the model file, or the name of its output if the file has none. It is unique in the graph.
  public let name: String
  package let operation: any Operator
  /// The nodes whose outputs this node uses, in order.
  public let inputs: [ID]
  /// The names of nodes that a rewrite merged into this one, so that users can still refer to them.
  public internal(set) var aliases: [String]
  /// The description of values that are multiplied by −1, if a rewrite has moved signs.
  package let turned: TurnedValues?

  package init(
    name: String, operation: any Operator, inputs: [ID], aliases: [String] = [], turned: TurnedValues? = nil
  ) {
    (self.name, self.operation, self.inputs) = (name, operation, inputs)
    (self.aliases, self.turned) = (aliases, turned)
  }

  /// The kind of the node's operator.
  public var kind: OperatorKind { operation.kind }
}
