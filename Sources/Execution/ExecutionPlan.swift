import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// The execution of a network for one input shape: a kernel for every node and a place in memory for every value.
///
/// A rectifier that can replace its operand is merged into the convolution or fully connected layer before it. Other
/// elementwise functions are applied to each part of their operand as soon as the part is computed.
package final class ExecutionPlan: Sendable {
  package let network: NeuralNetwork
  /// The properties of the network that are inferred for the input's shape.
  package let analysis: Analysis
  package let shapes: [TensorShape]
  /// How the batch's items are arranged on the way to the logits.
  package let batching: Batching
  /// The layout of the batch's items in each node's values; nil for nodes that are not between the input and the
  /// logits.
  package let itemLayouts: [ItemLayout?]
  package let layout: ScoreLayout
  let kernels: [(any Kernel)?]
  private let schedule: Schedule
  /// Nodes that apply the rectifier after them.
  private let rectified: Set<Node.ID>
  let placement: Placement

  package var memory: Int { placement.size }

  init(
    _ original: NeuralNetwork, inputShape: TensorShape, for purpose: Placement.Purpose, weights: WeightLibrary,
    algorithm: ConvolutionAlgorithm
  ) throws {
    let whole = try original.analysis(forInput: inputShape)
    try Self.checkMemory(for: original.graph, whole.inferred)
    layout = original.scoreLayout(whole.inferred)
    // Other values than the logits are not read after a prediction.
    let prediction = purpose == .logits ? try original.forPredictions(input: inputShape) : nil
    let network = prediction?.network ?? original
    let graph = network.graph
    let analysis = try network.analysis(forInput: inputShape)
    let inferred = analysis.inferred
    (self.network, self.analysis) = (network, analysis)
    shapes = analysis.shapes
    let layouts = original.itemLayouts(whole.inferred)
    itemLayouts = graph.ids.map { layouts[(prediction?.origins[$0.index] ?? $0).index] }
    batching = original.batching(whole.inferred)
    kernels = try graph.ids.map { id in
      try KernelSite(
        node: graph[id], operands: analysis.operands(of: graph[id]), output: analysis[id], algorithm: algorithm,
        weights: weights[prediction?.origins[id.index] ?? id]
      ).kernel()
    }
    schedule = Schedule(network, inferred, kernels)
    rectified = Set(schedule.mergedRectifiers.map { graph[$0].inputs[0] })
    placement = Placement(network, inferred, schedule, for: purpose)
  }

  /// The number of independent items in the batch; 1 if the network treats the input as one item.
  package var items: Int { if case .items(let count, _) = batching { count } else { 1 } }

  package func sideProductScope(of id: Node.ID) -> SideProduct.Scope? { placement.sideProducts[id]?.scope }

  /// A model of a few bytes can require any amount of memory.
  private static func checkMemory(for graph: Graph, _ inferred: [Inferred]) throws {
    let available = ProcessLimits.memory
    var rest = available / MemoryLayout<Float>.size
    for (node, value) in zip(graph.nodes, inferred) where value.literal == nil {
      guard value.shape.count <= rest else {
        throw ExecutionError.tooLarge(node: node.name, shape: value.shape, bytes: available)
      }
      rest -= value.shape.count
    }
  }

  /// Computes every node for `input`. `clock` records the time of each node; the time of an elementwise function that
  /// is computed together with another node counts for that node.
  func run(_ input: Tensor, on workers: Workers, clock: NodeClock? = nil) -> ForwardTrace {
    let memory = workers.pool.storage(count: self.memory)
    let trace = ForwardTrace(plan: self, input: input, memory: memory, workers: workers)
    workers.compute {
      clock?.start()
      for step in schedule.steps {
        compute(step, in: trace, memory)
        clock?.lap(step.head)
      }
    }
    return trace
  }

  /// Recomputes the nodes that depend on a node whose values are replaced.
  ///
  /// - Parameters:
  ///   - id: the node, which must not be the input.
  ///   - given: the values of the node, and of all other nodes that the recomputed nodes read, except constants.
  ///   - input: the input; it is read only if `given` does not contain it.
  /// - Returns: a run with the recomputed and the given values; no other values may be read.
  func run(
    replacing id: Node.ID, given: [Node.ID: Tensor], _ input: Tensor, on workers: Workers
  ) -> ForwardTrace {
    let memory = workers.pool.storage(count: self.memory)
    var given = given
    var behind = network.graph.downstream(of: id)
    behind[id.index] = false
    // The step that would rectify the values belongs to the node, which is not run.
    for other in schedule.mergedRectifiers where network.graph[other].inputs[0] == id {
      given[other] = given[id]?.map { $0 > 0 ? $0 : 0 }
    }
    let trace = ForwardTrace(plan: self, input: input, memory: memory, workers: workers, given: given)
    workers.compute {
      for step in schedule.steps {
        if behind[step.head.index] {
          compute(step, in: trace, memory)
        } else {
          let functions = step.followers.filter { behind[$0.id.index] }.map { trace.placed($0.function, at: $0.id) }
          Followers(functions).compute(all: shapes[step.head.index].count, on: workers)
        }
      }
    }
    return trace
  }

  /// Computes the nodes of a step.
  private func compute(_ step: Schedule.Step, in trace: ForwardTrace, _ memory: TensorStorage) {
    let (id, workers) = (step.head, trace.workers)
    let y = trace.address(of: id)
    let functions = step.followers.map { trace.placed($0.function, at: $0.id) }
    if let weighted = kernels[id.index] as? any WeightedKernel {
      trace.withOperands(of: id) {
        weighted.forward(
          $0[0], y, rectifies: rectified.contains(id),
          sideProduct: placement.sideProducts[id].map { SideProduct(memory.base + $0.offset, scope: $0.scope) },
          followers: Followers(functions), on: workers)
      }
      workers.products.add((weighted.work?.multiplyAdds ?? 0) * (placement.sideProducts[id] == nil ? 1 : 2))
    } else if step.followers.isEmpty {
      trace.withOperands(of: id) { kernels[id.index]?.forward($0, y, on: workers) }
    } else if let kernel = kernels[id.index] as? any RunwiseKernel, let own = kernel.follower {
      Followers([trace.placed(own, at: id)] + functions).compute(all: kernel.count, on: workers)
    } else {
      trace.withOperands(of: id) { kernels[id.index]?.forward($0, y, on: workers) }
      Followers(functions).compute(all: shapes[id.index].count, on: workers)
    }
  }
}
