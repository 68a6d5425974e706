import RelevanceNetworks
import Synchronization
import RelevanceTensors

/// Weights in layouts made of the model's, by node: shared by all plans of a network, and kept as long as there is room.
final class WeightLibrary: Sendable {
  private let layouts: [DerivedWeights]
  private let budget: WeightBudget

  /// A library that keeps at most `budget` bytes.
  init(nodes: Int, budget: Int) {
    let budget = WeightBudget(bytes: budget)
    self.budget = budget
    layouts = (0..<nodes).map { _ in DerivedWeights(budget: budget) }
  }

  /// What is kept so far.
  var bytes: Int { budget.taken }

  subscript(id: Node.ID) -> DerivedWeights { layouts[id.index] }
}

/// Forms of a layer's weights that are made of the model's once and kept: signed parts, packed and transformed kernels. What finds no room is
/// made anew whenever it is asked for.
final class DerivedWeights: Sendable {
  private let kept = Mutex<[ConvolutionKernel.Form: Tensor]>([:])
  private let budget: WeightBudget

  fileprivate init(budget: WeightBudget) { self.budget = budget }

  func value(for form: ConvolutionKernel.Form, make: () -> Tensor) -> Tensor {
    if let found = kept.withLock({ $0[form] }) { return found }
    // Made outside the lock: two threads may both do the work, and the first result stays.
    let made = make()
    return kept.withLock { kept in
      if let found = kept[form] { return found }
      if budget.take(made.count * MemoryLayout<Float>.stride) { kept[form] = made }
      return made
    }
  }
}

/// Bytes that may be taken until there are none left.
private final class WeightBudget: Sendable {
  private let bytes: Int
  private let used = Mutex(0)

  init(bytes: Int) { self.bytes = bytes }

  var taken: Int { used.withLock { $0 } }

  func take(_ count: Int) -> Bool {
    used.withLock { used in
      guard used + count <= bytes else { return false }
      used += count
      return true
    }
  }
}
