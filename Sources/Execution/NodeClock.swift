import RelevanceNetworks
import Synchronization

/// Records the time that each node takes in a run or a backward walk. It is used for one run or walk at a time, on one
/// thread.
package final class NodeClock: Sendable {
  private struct State {
    var lapStart = ContinuousClock.now
    var laps: [(node: Node.ID, time: Duration)] = []
    var adjointProducts: [Node.ID: Int] = [:]
  }
  private let state = Mutex(State())

  package init() {}

  /// The times of nodes in the order of computation; each node has one entry per run or walk.
  package var laps: [(node: Node.ID, time: Duration)] { state.withLock(\.laps) }

  /// The number of products with a node's transposed weights, each for a batch and one seed.
  package func adjointProducts(at id: Node.ID) -> Int { state.withLock { $0.adjointProducts[id] ?? 0 } }

  package func start() { state.withLock { $0.lapStart = .now } }

  /// Ends the time of a node and starts that of the next one.
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
