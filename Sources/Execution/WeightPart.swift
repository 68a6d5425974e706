import CKernels
import Synchronization
import Tensors

/// What becomes of a layer's weights before they take part in a product.
public enum WeightPart: Hashable, Sendable {
  /// `positive·W⁺ + negative·W⁻`, where `W⁺ = max(W, 0)` and `W⁻ = min(W, 0)`.
  case scaled(positive: Float, negative: Float)
  /// W², element by element.
  case squared
  /// 1 for every weight.
  case ones

  /// W
  public static let all = WeightPart.scaled(positive: 1, negative: 1)
  /// W⁺
  public static let positive = WeightPart.scaled(positive: 1, negative: 0)
  /// W⁻
  public static let negative = WeightPart.scaled(positive: 0, negative: 1)

  /// What becomes of one weight.
  package func callAsFunction(_ weight: Float) -> Float {
    switch self {
    case .scaled(let positive, let negative): weight * (weight > 0 ? positive : negative)
    case .squared: weight * weight
    case .ones: 1
    }
  }

  var kernel: rk_part {
    switch self {
    case .scaled(let positive, let negative): rk_part(form: RK_SCALED, positive: positive, negative: negative)
    case .squared: rk_part(form: RK_SQUARED, positive: 0, negative: 0)
    case .ones: rk_part(form: RK_ONES, positive: 0, negative: 0)
    }
  }
}

/// Forms of a layer's weights that are derived from the model's once and kept: signed parts, transposed kernels.
package final class DerivedWeights<Key: Hashable & Sendable>: Sendable {
  private let cache = Mutex<[Key: Tensor]>([:])

  package init() {}

  /// Bytes of all forms.
  package var bytes: Int {
    cache.withLock { $0.values.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride } }
  }

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
