import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// The positions of a run's values in one block of memory.
///
/// A rectifier overwrites its operand if no other node reads it. A node that only changes the shape shares the place of
/// its operand. Operands that are concatenated channel by channel are computed in their part of the result. If only the
/// logits are needed, a place is reused after the last use of its value, and values that only their own step reads have
/// no place.
struct Placement: Sendable {
  /// The place of a node's output during a run.
  enum Place: Sendable {
    case input
    case constant(Tensor)
    case memory(offset: Int)
    case sameAs(Node.ID)
    /// In one of several scratch memories, run by run.
    case scratch(Int)
  }

  /// The values that a run keeps.
  enum Purpose: Hashable, Sendable {
    /// All values, and for some nodes `W⁺·x`.
    case trace(sideProducts: [Node.ID: SideProduct.Scope])
    case logits
  }

  private(set) var places: [Place] = []
  /// Rectifiers that overwrite their operand.
  private(set) var inPlace: Set<Node.ID> = []
  /// Operands whose values are lost after a run because a rectifier overwrote them.
  private(set) var overwritten: Set<Node.ID> = []
  /// For each node with a side product `W⁺·x`, its offset, and where it must be exact.
  private(set) var sideProducts: [Node.ID: (offset: Int, scope: SideProduct.Scope)] = [:]
  private(set) var size = 0

  init(_ network: NeuralNetwork, _ inferred: [Inferred], _ schedule: Schedule, for purpose: Purpose) {
    let graph = network.graph
    let consumers = graph.consumers
    let reuses = purpose == .logits
    for id in graph.ids {
      let node = graph[id]
      if let literal = inferred[id.index].literal {
        places.append(.constant(literal.floats))
        continue
      }
      switch node.operation {
      case is Input: places.append(.input)
      case is Relu
      where schedule.mergedRectifiers.contains(id)
        || !reuses && hasOwnPlace(node.inputs[0]) && consumers[node.inputs[0].index].count == 1
          && node.inputs[0] != network.logits:
        inPlace.insert(id)
        overwritten.insert(node.inputs[0])
        places.append(.sameAs(node.inputs[0]))
      case let operation where operation.leavesElements(of: inferred[node.inputs[0].index].shape):
        places.append(.sameAs(node.inputs[0]))
      // The offset is determined below.
      default: places.append(.memory(offset: 0))
      }
    }
    if reuses { for step in schedule.steps { placeInnerValues(of: step, schedule) } }
    let parts = joinedParts(graph, inferred)
    var layout = Layout(reuses: reuses)
    let endings = endings(graph, schedule, parts)
    var offsets = [Int?](repeating: nil, count: graph.nodes.count)
    for (step, ending) in zip(schedule.steps, endings) {
      for id in step.nodes where hasOwnPlace(id) {
        let whole = owner(of: id, parts)
        if offsets[whole.index] == nil { offsets[whole.index] = layout.reserve(inferred[whole.index].shape.count) }
        places[id.index] = .memory(offset: offsets[whole.index]! + distance(of: id, parts))
      }
      for other in ending where hasOwnPlace(other) {
        layout.release(offsets[other.index]!, inferred[other.index].shape.count)
      }
    }
    if case .trace(let wanted) = purpose {
      for id in graph.ids {
        if let scope = wanted[id] { sideProducts[id] = (layout.reserve(inferred[id.index].shape.count), scope) }
      }
    }
    size = layout.size
  }

  /// Places values that only their own step reads. The values of the head share the place of the last function if only
  /// that is needed later; the values of functions are in scratch memory.
  private mutating func placeInnerValues(of step: Schedule.Step, _ schedule: Schedule) {
    var slots = 0
    for (id, _) in step.followers where schedule.isInner(id) && slots < RK_FOLLOWER_SLOTS {
      places[id.index] = .scratch(slots)
      slots += 1
    }
    guard let last = step.followers.last?.id, schedule.isInner(step.head), slots == step.followers.count - 1,
      !schedule.isInner(last)
    else { return }
    places[step.head.index] = .sameAs(last)
  }

  // MARK: Concatenated values

  /// A part of a concatenated value: the value, and the number of floats from its start.
  private typealias Part = (whole: Node.ID, distance: Int)

  /// The values that can be computed in their part of a concatenated value.
  private func joinedParts(_ graph: Graph, _ inferred: [Inferred]) -> [Node.ID: Part] {
    var parts: [Node.ID: Part] = [:]
    for id in graph.ids where hasOwnPlace(id) {
      guard let concat = graph[id].operation as? Concat else { continue }
      let shape = inferred[id.index].shape
      let axis = concat.axis < 0 ? concat.axis + shape.rank : concat.axis
      let before = shape.dimensions[..<axis].reduce(1, *)
      // Parts are contiguous only if no axis precedes the concatenated one, and must not be rectified in place.
      guard before == 1, !overwritten.contains(id) else { continue }
      var distance = 0
      for operand in graph[id].inputs {
        let own = resolved(operand)
        if hasOwnPlace(own), parts[own] == nil { parts[own] = (id, distance) }
        distance += inferred[operand.index].shape.count
      }
    }
    return parts
  }

  private func hasOwnPlace(_ id: Node.ID) -> Bool {
    if case .memory = places[id.index] { true } else { false }
  }

  /// The node whose place a node shares.
  private func resolved(_ id: Node.ID) -> Node.ID {
    if case .sameAs(let other) = places[id.index] { resolved(other) } else { id }
  }

  private func owner(of id: Node.ID, _ parts: [Node.ID: Part]) -> Node.ID {
    parts[id].map { owner(of: $0.whole, parts) } ?? id
  }

  private func distance(of id: Node.ID, _ parts: [Node.ID: Part]) -> Int {
    parts[id].map { $0.distance + distance(of: $0.whole, parts) } ?? 0
  }

  // MARK: Reuse

  /// For each step, the owners whose places are free after it.
  private func endings(_ graph: Graph, _ schedule: Schedule, _ parts: [Node.ID: Part]) -> [[Node.ID]] {
    var last: [Node.ID: Int] = [:]
    for id in graph.ids {
      guard let step = schedule.numbers[id.index] else { continue }
      let own = owner(of: resolved(id), parts)
      last[own] = max(last[own] ?? step, schedule.lastUses[id.index], step)
    }
    var endings = [[Node.ID]](repeating: [], count: schedule.steps.count)
    for (own, end) in last where end < endings.count { endings[end].append(own) }
    return endings
  }

  /// Allocates runs of floats, and frees them if they may be reused.
  private struct Layout {
    let reuses: Bool
    private(set) var size = 0
    /// Free runs by offset, never adjacent.
    private var free: [Range<Int>] = []

    init(reuses: Bool) { self.reuses = reuses }

    mutating func reserve(_ count: Int) -> Int {
      let count = (count + 15) / 16 * 16
      // The smallest run that is large enough.
      if let index = free.indices.filter({ free[$0].count >= count }).min(by: { free[$0].count < free[$1].count }) {
        let run = free[index]
        if run.count == count { free.remove(at: index) } else { free[index] = run.lowerBound + count..<run.upperBound }
        return run.lowerBound
      }
      defer { size += count }
      return size
    }

    mutating func release(_ offset: Int, _ count: Int) {
      guard reuses else { return }
      var run = offset..<offset + (count + 15) / 16 * 16
      if run.isEmpty { return }
      for other in free where other.upperBound == run.lowerBound || other.lowerBound == run.upperBound {
        run = min(run.lowerBound, other.lowerBound)..<max(run.upperBound, other.upperBound)
      }
      free.removeAll { run.overlaps($0) }
      free.insert(run, at: free.firstIndex { $0.lowerBound > run.lowerBound } ?? free.endIndex)
    }
  }
}
