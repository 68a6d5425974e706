import RelevanceSupport
import RelevanceTensors

/// A network as data: a list of nodes in which each node follows its operands.
public struct Graph: Sendable {
  /// The name in the model file.
  public let name: String
  /// The nodes, operands first.
  public let nodes: [Node]
  /// The node whose output is the result.
  public let output: Node.ID
  /// The name of the result in the model file: an output's name, or the name of a requested node.
  public private(set) var outputName: String
  /// The names of all outputs of the model file, in its order.
  public private(set) var outputNames: [String]
  /// The outputs of the model file that make up the result: one, or several joined ones. Empty if the result is another
  /// node.
  package private(set) var explainedOutputs: [String]
  /// Outputs of the model file that are kept beside the result, or are parts of it, so that their units can be
  /// explained.
  package private(set) var keptOutputs: [KeptOutput]
  /// The node with the boxes for the result's positions, if the file has them as outputs beside the scores: batch ×
  /// positions × 4, or with the last two in the other order.
  package private(set) var boxes: Node.ID?
  /// The inferred properties for the most recent input shape.
  let inferences = Cache<TensorShape, [Inferred]>(limit: 1)

  /// Creates a graph. By default, the result has the name of its node and is the only output.
  ///
  /// - Throws: `GraphError` if two nodes have the same name, or if an operand does not come before its user.
  package init(
    name: String, nodes: [Node], output: Node.ID, outputName: String? = nil, outputNames: [String]? = nil,
    joinedOutputs: [String]? = nil, keptOutputs: [KeptOutput] = [], boxes: Node.ID? = nil
  ) throws {
    var names = Set<String>()
    for (index, node) in nodes.enumerated() {
      guard names.insert(node.name).inserted else { throw GraphError.duplicateName(node.name) }
      guard node.inputs.allSatisfy({ $0.index >= 0 && $0.index < index }) else {
        throw GraphError.disordered(node.name)
      }
    }
    guard nodes.indices.contains(output.index) else { throw GraphError.disordered("output") }
    (self.name, self.nodes, self.output) = (name, nodes, output)
    self.outputName = outputName ?? nodes[output.index].name
    self.outputNames = outputNames ?? [self.outputName]
    explainedOutputs = joinedOutputs ?? [self.outputName].filter(self.outputNames.contains)
    (self.keptOutputs, self.boxes) = (keptOutputs, boxes)
  }

  /// An output of the model file and the node that computes it.
  package struct KeptOutput: Sendable {
    package let name: String
    package let node: Node.ID

    package init(name: String, node: Node.ID) { (self.name, self.node) = (name, node) }
  }

  /// The nodes that are results: the output, and the outputs kept beside it.
  var results: [Node.ID] { [output] + keptOutputs.map(\.node) + [boxes].compactMap { $0 } }

  /// The same graph, with the names of the result and the outputs of another graph.
  func withOutputNames(of other: Graph) -> Graph {
    var copy = self
    (copy.outputName, copy.outputNames) = (other.outputName, other.outputNames)
    copy.explainedOutputs = other.explainedOutputs
    return copy
  }

  /// The node with an identifier.
  public subscript(id: Node.ID) -> Node { nodes[id.index] }

  /// The identifiers of all nodes, operands first.
  ///
  /// - Complexity: O(nodes).
  public var ids: [Node.ID] { nodes.indices.map { Node.ID($0) } }

  /// The node with a name, or the node that a node with this name was merged into.
  ///
  /// - Complexity: O(nodes).
  public func node(named name: String) -> Node.ID? {
    (nodes.firstIndex { $0.name == name } ?? nodes.firstIndex { $0.aliases.contains(name) }).map { Node.ID($0) }
  }

  /// The node with a name that a user entered.
  ///
  /// - Throws: `RelevanceKitError`, with a similar name if there is one.
  public func requiredNode(named name: String) throws -> Node.ID {
    if let id = node(named: name) { return id }
    let names = nodes.flatMap { [$0.name] + $0.aliases }
    throw GraphError.noSuchNode(name, suggestion: Suggestion.likeliest(for: name, among: names))
  }

  /// The graph's inputs.
  ///
  /// - Complexity: O(nodes).
  package var inputs: [Node.ID] { ids.filter { self[$0].operation is Input } }

  /// For each node, the nodes that use its output. A node that uses it twice is listed twice.
  ///
  /// - Complexity: O(nodes and edges).
  package var consumers: [[Node.ID]] {
    var consumers = [[Node.ID]](repeating: [], count: nodes.count)
    for id in ids { for input in self[id].inputs { consumers[input.index].append(id) } }
    return consumers
  }
}

/// An error for an invalid graph, or for a graph that cannot be explained.
package enum GraphError: RelevanceKitError {
  case duplicateName(String)
  case disordered(String)
  case inputs([String])
  case shape(node: String, operator: String, reason: String)
  case noSuchNode(String, suggestion: String?)
  case inputShape(name: String, expected: SymbolicShape, found: TensorShape)

  package var category: ErrorCategory { if case .noSuchNode = self { .usage } else { .badData } }
  package var description: String {
    switch self {
    case .noSuchNode(let name, let suggestion):
      "\(name): the network has no such node" + (suggestion.map { "; did you mean \($0)?" } ?? "")
    case .duplicateName(let name): "two nodes are named \(name); names must be unique"
    case .disordered(let name): "node \(name) uses an output that no earlier node computes"
    case .inputs(let names):
      names.isEmpty
        ? "the graph has no input; expected one image"
        : "the graph has \(names.count) inputs (\(names.joined(separator: ", "))); expected one image"
    case .shape(let node, let op, let reason): "node \(node) (\(op)): \(reason)"
    case .inputShape(let name, let expected, let found): "input \(name): expected shape \(expected), found \(found)"
    }
  }
}
