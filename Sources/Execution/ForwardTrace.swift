import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// The values of all nodes for one input or batch, as recorded in a run. Immutable.
package final class ForwardTrace: Sendable {
  package let plan: ExecutionPlan
  package let input: Tensor
  package let workers: Workers
  private let memory: TensorStorage
  /// Values that were given to this run instead of computed; see `ExecutionPlan.run(replacing:given:_:on:)`.
  private let given: [Node.ID: Tensor]

  init(
    plan: ExecutionPlan, input: Tensor, memory: TensorStorage, workers: Workers, given: [Node.ID: Tensor] = [:]
  ) {
    (self.plan, self.input, self.memory, self.workers, self.given) = (plan, input, memory, workers, given)
  }

  package var graph: Graph { plan.network.graph }

  /// The number of independent items in the batch; 1 if the network treats the input as one item.
  package var items: Int { plan.items }

  /// Whether several targets can share a walk as additional items of the first axis. Where the first axis of a node of
  /// a single item is another one, targets pass the node one by one.
  package var sharesWalks: Bool {
    if case .items(let items, let shares) = plan.batching { items == 1 || shares } else { false }
  }

  /// Whether the first axis of a node's values is the batch axis.
  package func countsItemsFirst(_ id: Node.ID) -> Bool { plan.itemLayouts[id.index].map { $0 == .items } ?? true }

  /// The distance between items in a node's values if the items are not contiguous; otherwise nil.
  package func itemDistance(of id: Node.ID) -> Int? {
    guard items > 1, case .apart(let distance)? = plan.itemLayouts[id.index] else { return nil }
    return distance
  }

  /// The batch axis of a node's values; the first axis if the layout is unknown.
  package func batchAxis(of id: Node.ID) -> Int {
    guard case .apart(let distance)? = plan.itemLayouts[id.index] else { return 0 }
    let shape = shape(of: id)
    return shape.dimensions.indices.first { shape[$0] == items && shape.strides[$0] == distance } ?? 0
  }

  package func kernel(of id: Node.ID) -> (any Kernel)? { plan.kernels[id.index] }

  /// The output of a node, as a view of the trace's memory.
  ///
  /// - Complexity: O(1), except for a node whose values a rectifier has replaced: that node is computed again.
  package func value(of id: Node.ID) -> Tensor {
    if let value = given[id] { return value }
    // Only nodes with a kernel are overwritten.
    return plan.placement.overwritten.contains(id) ? value(of: id, by: kernel(of: id)!) : rectifiedValue(of: id)
  }

  package func shape(of id: Node.ID) -> TensorShape { plan.shapes[id.index] }

  /// The output of a node, or of the rectifier that replaced it, as a view of the trace's memory.
  package func rectifiedValue(of id: Node.ID) -> Tensor {
    if let value = given[id] { return value }
    let shape = plan.shapes[id.index]
    switch plan.placement.places[id.index] {
    case .input: return input
    case .constant(let value): return value
    case .memory(let offset): return Tensor(shape: shape, storage: memory, offset: offset)
    case .sameAs(let other):
      // If a rectifier replaces a given operand, its result is in the memory.
      let isGiven = given[other] != nil && plan.placement.inPlace.contains(id)
      return (isGiven ? storedValue(of: other) : rectifiedValue(of: other)).reshaped(to: shape)
    case .scratch: preconditionFailure("the values of node \(graph[id].name) were not kept")
    }
  }

  /// The values in the memory at the place of a node.
  private func storedValue(of id: Node.ID) -> Tensor {
    guard case .memory(let offset) = plan.placement.places[id.index] else {
      preconditionFailure("node \(graph[id].name) has no place of its own, so no rectifier takes it")
    }
    return Tensor(shape: plan.shapes[id.index], storage: memory, offset: offset)
  }

  /// `W⁺·x` of a weighted node, if the plan requested it.
  package func sideProduct(of id: Node.ID) -> Tensor? {
    plan.placement.sideProducts[id].map { Tensor(shape: plan.shapes[id.index], storage: memory, offset: $0.offset) }
  }

  package var bytes: Int { memory.count * MemoryLayout<Float>.stride }

  /// Whether a tensor is a view of the trace's memory or its input.
  package func holds(_ tensor: Tensor) -> Bool { tensor.storage === memory || tensor.storage === input.storage }

  package func value(of id: Node.ID, by kernel: any Kernel) -> Tensor {
    Tensor(uninitialized: plan.shapes[id.index]) { result in
      workers.compute {
        withOperands(of: id) { kernel.forward($0, result.baseAddress!, on: workers) }
      }
    }
  }

  // MARK: During the run

  func address(of id: Node.ID) -> MutableFloats {
    switch plan.placement.places[id.index] {
    case .memory(let offset): memory.base + offset
    case .sameAs(let other): address(of: other)
    case .input, .constant: preconditionFailure("inputs and constants are not computed")
    case .scratch: preconditionFailure("the values of node \(graph[id].name) are not stored")
    }
  }

  /// A function that is computed run by run, with the addresses of its operands and result.
  func placed(_ function: rk_follower, at id: Node.ID) -> rk_follower {
    var function = function
    let inputs = graph[id].inputs
    place(inputs[0], &function.operands.0)
    if inputs.count > 1 { place(inputs[1], &function.operands.1) }
    place(id, &function.result)
    return function
  }

  private func place(_ id: Node.ID, _ place: inout rk_place) {
    place.slot = -1
    if let value = given[id] {
      // The values are only read, and live as long as the trace.
      value.withUnsafeElements { place.values = MutableFloats(mutating: $0.baseAddress) }
      return
    }
    switch plan.placement.places[id.index] {
    case .memory(let offset): place.values = memory.base + offset
    case .sameAs(let other) where given[other] != nil && plan.placement.inPlace.contains(id):
      place.values = address(of: other)
    case .sameAs(let other): self.place(other, &place)
    case .scratch(let slot): place.slot = Int32(slot)
    // The values are only read, and live as long as the trace.
    case .input: input.withUnsafeElements { place.values = MutableFloats(mutating: $0.baseAddress) }
    case .constant(let value): value.withUnsafeElements { place.values = MutableFloats(mutating: $0.baseAddress) }
    }
  }

  func withOperands<Result>(of id: Node.ID, _ body: ([Floats]) -> Result) -> Result {
    let operands = graph[id].inputs.map { rectifiedValue(of: $0) }
    return withExtendedLifetime(operands) {
      body(operands.map { $0.withUnsafeElements { $0.baseAddress! } })
    }
  }
}
