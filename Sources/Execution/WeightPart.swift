import CKernels
import Synchronization
import Tensors

/// Which weights of a layer take part in a product.
package enum WeightPart: Hashable, Sendable {
  /// W
  case all
  /// W⁺ = max(W, 0)
  case positive
  /// W⁻ = min(W, 0)
  case negative

  var kernel: rk_part {
    switch self {
    case .all: RK_ALL
    case .positive: RK_POSITIVE
    case .negative: RK_NEGATIVE
    }
  }
}

/// Forms of a layer's weights that are derived from the model's once and kept: signed parts, transposed kernels.
package final class DerivedWeights<Key: Hashable & Sendable>: Sendable {
  private let cache = Mutex<[Key: Tensor]>([:])

  package init() {}

  /// The form with this key, made by `make` at the first request.
  package func form(_ key: Key, make: () -> Tensor) -> Tensor {
    if let found = cache.withLock({ $0[key] }) { return found }
    // Made outside the lock: two threads may both do the work, and the first result stays.
    let made = make()
    return cache.withLock { cache in
      if let found = cache[key] { return found }
      cache[key] = made
      return made
    }
  }
}
