import RelevanceNetworks
import Synchronization
import RelevanceTensors

/// The weights of all nodes in layouts derived from the model's: shared by all plans of a network, and kept within a
/// budget.
final class WeightLibrary: Sendable {
  private let layouts: [DerivedWeights]
  private let budget: WeightBudget

  /// Creates a library that keeps at most `budget` bytes.
  init(nodes: Int, budget: Int) {
    let budget = WeightBudget(bytes: budget)
    self.budget = budget
    layouts = (0..<nodes).map { _ in DerivedWeights(budget: budget) }
  }

  /// The number of bytes that are kept.
  var bytes: Int { budget.taken }

  subscript(id: Node.ID) -> DerivedWeights { layouts[id.index] }
}

/// Layouts of a layer's weights that are derived from the model's once and kept: signed parts, packed and transformed
/// kernels. Layouts that exceed the budget are created at each use.
final class DerivedWeights: Sendable {
  private let kept = Mutex<[ConvolutionKernel.Form: Tensor]>([:])
  private let budget: WeightBudget

  fileprivate init(budget: WeightBudget) { self.budget = budget }

  func value(for form: ConvolutionKernel.Form, make: () -> Tensor) -> Tensor {
    if let found = kept.withLock({ $0[form] }) { return found }
    // Created outside the lock: two threads may both do the work, and the first result is kept.
    let made = make()
    return kept.withLock { kept in
      if let found = kept[form] { return found }
      if budget.take(made.count * MemoryLayout<Float>.stride) { kept[form] = made }
      return made
    }
  }
}

/// A number of bytes that can be reserved until none are left.
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
