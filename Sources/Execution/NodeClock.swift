import RelevanceNetworks
import Synchronization

/// Notes what each node of a run, or of a walk back, takes. For one run or walk at a time, on one thread.
package final class NodeClock: Sendable {
  private struct State {
    var lapStart = ContinuousClock.now
    var laps: [(node: Node.ID, time: Duration)] = []
    var adjointProducts: [Node.ID: Int] = [:]
  }
  private let state = Mutex(State())

  package init() {}

  /// What nodes took, in the order in which they were computed; a node once for each run or walk.
  package var laps: [(node: Node.ID, time: Duration)] { state.withLock(\.laps) }

  /// Products with a node's transposed weights, each of a batch for one seed.
  package func adjointProducts(at id: Node.ID) -> Int { state.withLock { $0.adjointProducts[id] ?? 0 } }

  package func start() { state.withLock { $0.lapStart = .now } }

  /// A node is done, and the next one begins.
  package func lap(_ id: Node.ID) {
    state.withLock { state in
      let now = ContinuousClock.now
      state.laps.append((id, now - state.lapStart))
      state.lapStart = now
    }
  }

  package func countAdjointProducts(_ count: Int, at id: Node.ID) {
    state.withLock { $0.adjointProducts[id, default: 0] += count }
  }
}
