import RelevanceTensors

/// A network that computes the same results as another one, for one input shape, with fewer products and copies.
///
/// Of values that are not results, it may compute a part, or none. Values that follow from shapes are constants.
package struct PredictionNetwork: Sendable {
  package let network: NeuralNetwork
  /// For each node, the node of the original network whose values, or part of whose values, it computes.
  package let origins: [Node.ID]
}

extension NeuralNetwork {
  /// The network for predictions.
  ///
  /// - Throws: The errors of `Graph.shapes(forInput:)`.
  /// - Complexity: O(nodes and edges).
  package func forPredictions(input shape: TensorShape) throws -> PredictionNetwork {
    let inferred = try analysis(forInput: shape).inferred
    var edits: [Node.ID: Edit] = [:]
    for id in graph.ids where !(graph[id].operation is Constant) {
      // Parts have other shapes than the values that they replace.
      if let literal = inferred[id.index].literal { edits[id] = .change(to: Constant(literal), inputs: []) }
    }
    var result = PredictionGraph(graph: try graph.edited(edits), origins: graph.ids, input: input, logits: logits)
    for pass in [NarrowToNeeded(), MergeRearrangements(), FuseAttention()] as [any PredictionPass] {
      result = try pass.apply(to: result, try result.graph.inferred(forInput: shape))
    }
    return PredictionNetwork(
      network: NeuralNetwork(self, computedBy: result.graph, input: result.input, logits: result.logits),
      origins: result.origins)
  }
}

/// A step from a network to its network for predictions.
protocol PredictionPass {
  /// - Parameter inferred: The properties of the graph's nodes.
  func apply(to graph: PredictionGraph, _ inferred: [Inferred]) throws -> PredictionGraph
}

/// The graph of a network for predictions during its construction.
struct PredictionGraph {
  let graph: Graph
  let origins: [Node.ID]
  let input: Node.ID
  let logits: Node.ID

  /// The nodes whose values stay whole.
  var results: [Node.ID] { graph.results + [logits] }
}

/// Builds the graph after a pass, and records the origins of its nodes.
struct PredictionGraphEditor {
  private let old: PredictionGraph
  private var editor: GraphEditor
  private var origins: [Node.ID] = []
  private var names: Set<String>

  init(_ old: PredictionGraph) {
    self.old = old
    editor = GraphEditor(old.graph)
    names = Set(old.graph.nodes.map(\.name))
  }

  /// The node of the new graph that replaces an old one.
  func current(_ id: Node.ID) -> Node.ID { editor.current(id) }

  /// Keeps an old node. If given, `operation` and `operands` of the new graph replace its own.
  mutating func keep(_ id: Node.ID, as operation: (any Operator)? = nil, operands: [Node.ID]? = nil) {
    editor.keep(id, as: operation, operands: operands)
    origins.append(old.origins[id.index])
  }

  /// Adds a node that is computed from the new node of `id`, named after it.
  mutating func add(_ operation: any Operator, of id: Node.ID) -> Node.ID {
    var name = old.graph[id].name + "/part"
    while !names.insert(name).inserted { name += "+" }
    origins.append(old.origins[id.index])
    return editor.add(name, operation, operands: [editor.current(id)])
  }

  func edited() throws -> PredictionGraph {
    PredictionGraph(
      graph: try editor.edited().withOutputNames(of: old.graph), origins: origins, input: editor.current(old.input),
      logits: editor.current(old.logits))
  }
}
