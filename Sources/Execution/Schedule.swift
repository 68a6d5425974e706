import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// The steps in which a plan computes its nodes: each step is a node, and elementwise functions that use its values
/// while they are in a cache.
///
/// A function joins the step that computes the last of its operands, if it has as many elements as the step's head and
/// reads the step's values element by element.
struct Schedule: Sendable {
  struct Step: @unchecked Sendable {
    let head: Node.ID
    /// Functions in the order of evaluation; their places have no addresses yet.
    var followers: [(id: Node.ID, function: rk_follower)] = []
    var nodes: [Node.ID] { [head] + followers.map(\.id) }
  }

  private(set) var steps: [Step] = []
  /// Rectifiers that the layer before them applies.
  private(set) var mergedRectifiers: Set<Node.ID> = []
  /// The step that computes a node, or the node whose values it shares; nil for inputs and constants.
  private(set) var numbers: [Int?]
  /// The last step that reads the values of a computed node or of nodes that share them; `Int.max` for the logits.
  private(set) var lastUses: [Int]

  init(_ network: NeuralNetwork, _ inferred: [Inferred], _ kernels: [(any Kernel)?]) {
    let graph = network.graph
    let consumers = graph.consumers
    numbers = Array(repeating: nil, count: graph.nodes.count)
    lastUses = Array(repeating: -1, count: graph.nodes.count)
    // The node that computes the values of each node.
    var sources = graph.ids
    for id in graph.ids {
      guard let kernel = kernels[id.index] else { continue }
      let node = graph[id]
      let first = node.inputs[0]
      let isMerged =
        node.operation is Relu && kernels[first.index] is any WeightedKernel && consumers[first.index].count == 1
        && first != network.logits
      if isMerged { mergedRectifiers.insert(id) }
      if isMerged || node.operation.leavesElements(of: inferred[first.index].shape) {
        (sources[id.index], numbers[id.index]) = (sources[first.index], numbers[first.index])
        continue
      }
      if let kernel = kernel as? any RunwiseKernel, let function = kernel.follower,
        let number = step(for: node, kernel.count, function, inferred)
      {
        steps[number].followers.append((id, function))
        numbers[id.index] = number
      } else {
        numbers[id.index] = steps.count
        steps.append(Step(head: id))
      }
      for operand in node.inputs {
        let source = sources[operand.index].index
        lastUses[source] = max(lastUses[source], numbers[id.index]!)
      }
    }
    lastUses[sources[network.logits.index].index] = .max
  }

  /// The step that a node can join.
  private func step(for node: Node, _ count: Int, _ function: rk_follower, _ inferred: [Inferred]) -> Int? {
    guard let last = node.inputs.compactMap({ numbers[$0.index] }).max(),
      inferred[steps[last].head.index].shape.count == count
    else { return nil }
    let joins = node.inputs.enumerated().allSatisfy { numbers[$1.index] != last || !function.repeats(operand: $0) }
    return joins ? last : nil
  }

  /// Whether only its own step reads the values of a computed node.
  func isInner(_ id: Node.ID) -> Bool { lastUses[id.index] == numbers[id.index] }
}
