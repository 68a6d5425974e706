import Synchronization

/// Multiply-adds of the matrix products with weights that an executor's runs and walks have had so far, as they are computed.
///
/// Counted by `LayerWork`: without transforms, and without products of two values, such as those of attention.
package final class ProductCount: Sendable {
  private let count = Atomic<Int>(0)

  package var multiplyAdds: Int { count.load(ordering: .relaxed) }

  package func add(_ multiplyAdds: Int) { count.wrappingAdd(multiplyAdds, ordering: .relaxed) }
}
