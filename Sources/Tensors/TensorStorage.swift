/// A run of floats in memory: allocated, lent by a pool, or part of a mapped file.
///
/// Whoever holds a reference keeps the memory alive. `Tensor` writes only into storage that it alone references and that
/// is `writable`, so storage may be shared freely between threads.
package final class TensorStorage: @unchecked Sendable {
  package let base: UnsafeMutablePointer<Float>
  package let count: Int
  package let writable: Bool
  private let release: @Sendable () -> Void

  /// Allocates `count` floats, 64-byte aligned, not initialised.
  package init(count: Int) {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    let base = raw.bindMemory(to: Float.self, capacity: count)
    self.base = base
    self.count = count
    self.writable = true
    let address = UInt(bitPattern: raw)
    self.release = { UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
  }

  /// Wraps memory that someone else owns; `release` runs when the last reference is gone.
  package init(
    base: UnsafeMutablePointer<Float>, count: Int, writable: Bool, release: @escaping @Sendable () -> Void
  ) {
    self.base = base
    self.count = count
    self.writable = writable
    self.release = release
  }

  deinit { release() }
}
