/// A small change of a graph that keeps what it computes.
protocol Rewrite: Sendable {
  /// The graph after the change.
  func apply(to graph: Graph) throws -> Graph
}

extension Graph {
  /// The graph after some rewrites, one after the other; what the model file calls its outputs stays.
  func rewritten(by rewrites: [any Rewrite]) throws -> Graph {
    try rewrites.reduce(self) { try $1.apply(to: $0) }.withOutputNames(of: self)
  }
}

/// Builds the graph after a rewrite: nodes are added in order, and what replaces an old node is remembered.
struct GraphEditor {
  private var nodes: [Node] = []
  /// Names that nodes take over, by position.
  private var aliases: [[String]] = []
  private var replacement: [Node.ID: Node.ID] = [:]

  /// What stands for an old node in the new graph.
  func current(_ old: Node.ID) -> Node.ID {
    guard let new = replacement[old] else { preconditionFailure("node \(old.index) has not been visited") }
    return new
  }

  /// Keeps an old node, with its operands replaced; `operation` and (old) `inputs`, if given, instead of its own.
  mutating func keep(_ old: Node.ID, of graph: Graph, as operation: (any Operator)? = nil, inputs: [Node.ID]? = nil) {
    let node = graph[old]
    replacement[old] = Node.ID(nodes.count)
    nodes.append(
      Node(
        name: node.name, operation: operation ?? node.operation, inputs: (inputs ?? node.inputs).map { current($0) },
        aliases: [], turned: operation == nil ? node.turned : nil))
    aliases.append(node.aliases)
  }

  /// Keeps an old node as an operation with operands of the new graph and, perhaps, turned values.
  mutating func keep(
    _ old: Node.ID, of graph: Graph, as operation: any Operator, operands: [Node.ID], turned: TurnedValues?
  ) {
    let node = graph[old]
    replacement[old] = Node.ID(nodes.count)
    nodes.append(Node(name: node.name, operation: operation, inputs: operands, aliases: [], turned: turned))
    aliases.append(node.aliases)
  }

  /// Adds a node that the old graph does not have; the name must be new.
  mutating func add(_ name: String, _ operation: any Operator) -> Node.ID {
    nodes.append(Node(name: name, operation: operation, inputs: []))
    aliases.append([])
    return Node.ID(nodes.count - 1)
  }

  /// Lets another old node stand for `old`, and answer to its name.
  mutating func drop(_ old: Node.ID, of graph: Graph, for survivor: Node.ID) {
    let id = current(survivor)
    replacement[old] = id
    aliases[id.index].append(graph[old].name)
    aliases[id.index] += graph[old].aliases
  }

  /// The finished graph.
  func graph(named name: String, output: Node.ID) throws -> Graph {
    let named = zip(nodes, aliases).map { node, aliases in
      Node(name: node.name, operation: node.operation, inputs: node.inputs, aliases: aliases, turned: node.turned)
    }
    return try Graph(name: name, nodes: named, output: current(output))
  }
}
