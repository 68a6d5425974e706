import RelevanceTensors

/// A small change of a graph that preserves what it computes.
protocol Rewrite: Sendable {
  func apply(to graph: Graph) throws -> Graph
}

/// The change of a node in a rewrite.
enum Edit {
  /// Another old node replaces it and takes over its name.
  case drop(for: Node.ID)
  /// It has another operation or other (old) operands; nil keeps its own.
  case change(to: (any Operator)?, inputs: [Node.ID]?)
  case remove

  static func change(to operation: any Operator) -> Edit { .change(to: operation, inputs: nil) }
}

extension Graph {
  /// The graph after some rewrites, one after the other. The names of the model file's outputs are kept.
  func rewritten(by rewrites: [any Rewrite]) throws -> Graph {
    try rewrites.reduce(self) { try $1.apply(to: $0) }.withOutputNames(of: self)
  }

  func edited(_ edits: [Node.ID: Edit]) throws -> Graph {
    // An unchanged graph keeps its inferred properties.
    if edits.isEmpty { return self }
    var editor = GraphEditor(self)
    for id in ids {
      switch edits[id] {
      case nil: editor.keep(id)
      case .change(let operation, let inputs): editor.keep(id, as: operation, operands: inputs?.map(editor.current))
      case .drop(let survivor): editor.drop(id, for: survivor)
      case .remove: break
      }
    }
    return try editor.edited()
  }

  /// For a node with two operands, each operand together with the real numbers of the other one, if that one is
  /// constant.
  func constantsBesideOperands(of id: Node.ID) -> [(operand: Node.ID, constant: Tensor)] {
    let inputs = self[id].inputs
    guard inputs.count == 2 else { return [] }
    return [0, 1].compactMap { place in
      (self[inputs[1 - place]].operation as? Constant)?.tensor.map { (inputs[place], $0) }
    }
  }
}

/// Builds the graph after a rewrite. Nodes are added in order, and the replacements of old nodes are recorded.
struct GraphEditor {
  private let old: Graph
  private var nodes: [Node] = []
  private var replacement: [Node.ID: Node.ID] = [:]

  init(_ graph: Graph) { old = graph }

  /// The node of the new graph that replaces an old one.
  func current(_ id: Node.ID) -> Node.ID {
    guard let new = replacement[id] else { preconditionFailure("node \(id.index) has not been visited") }
    return new
  }

  /// Keeps an old node. If given, `operation`, `operands` of the new graph and `turned` values replace its own.
  mutating func keep(
    _ id: Node.ID, as operation: (any Operator)? = nil, operands: [Node.ID]? = nil, turned: TurnedValues? = nil
  ) {
    let node = old[id]
    replacement[id] = Node.ID(nodes.count)
    nodes.append(
      Node(
        name: node.name, operation: operation ?? node.operation, inputs: operands ?? node.inputs.map(current),
        aliases: node.aliases, turned: turned ?? (operation == nil ? node.turned : nil)))
  }

  /// Adds a node that the old graph does not have; the name must be new.
  mutating func add(_ name: String, _ operation: any Operator, operands: [Node.ID] = []) -> Node.ID {
    nodes.append(Node(name: name, operation: operation, inputs: operands))
    return Node.ID(nodes.count - 1)
  }

  /// Replaces a node by another old node, which takes over its name.
  mutating func drop(_ id: Node.ID, for survivor: Node.ID) {
    let new = current(survivor)
    replacement[id] = new
    nodes[new.index].aliases += [old[id].name] + old[id].aliases
  }

  func edited() throws -> Graph {
    try Graph(
      name: old.name, nodes: nodes, output: current(old.output),
      keptOutputs: old.keptOutputs.map { Graph.KeptOutput(name: $0.name, node: current($0.node)) },
      boxes: old.boxes.map(current))
  }
}
