import Synchronization

/// The multiply-adds of the matrix products with weights in an executor's runs and walks so far.
///
/// Counted by `LayerWork`: without transforms, and without products of two values, such as in attention.
package final class ProductCount: Sendable {
  private let count = Atomic<Int>(0)

  package var multiplyAdds: Int { count.load(ordering: .relaxed) }

  package func add(_ multiplyAdds: Int) { count.wrappingAdd(multiplyAdds, ordering: .relaxed) }
}
