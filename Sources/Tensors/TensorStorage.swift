import Foundation
import RelevanceSupport

/// A pointer to floats that are only read.
package typealias Floats = UnsafePointer<Float>
/// A pointer to floats that are written.
package typealias MutableFloats = UnsafeMutablePointer<Float>

/// A run of floats in memory: allocated, borrowed from a pool, or part of a mapped file.
///
/// A reference keeps the memory alive. `Tensor` writes only to storage that is `writable` and that no one else
/// references, so storage can be shared between threads.
package final class TensorStorage: @unchecked Sendable {
  package let base: UnsafeMutablePointer<Float>
  package let count: Int
  package let writable: Bool
  private let release: @Sendable () -> Void

  /// Allocates `count` uninitialized floats, aligned to 64 bytes.
  package convenience init(count: Int) {
    let base = Self.allocate(count: count)
    let address = UInt(bitPattern: base)
    self.init(base: base, count: count, writable: true) { free(UnsafeMutableRawPointer(bitPattern: address)) }
  }

  /// Whether the process ends with an error message and an exit status, instead of a trap, when memory runs out. Tools
  /// set this when they start.
  package nonisolated(unsafe) static var endsWithoutMemory = false

  /// Memory for `count` uninitialized floats, aligned to 64 bytes, which must be released with `free`.
  ///
  /// Large runs are aligned for huge pages. These need one page fault instead of 512 and are read faster.
  package static func allocate(count: Int) -> UnsafeMutablePointer<Float> {
    let hugePage = 2 << 20
    let bytes = max(count, 16) * MemoryLayout<Float>.stride
    let isLarge = bytes >= 2 * hugePage
    let size = isLarge ? (bytes + 4095) & ~4095 : bytes
    var raw: UnsafeMutableRawPointer?
    guard posix_memalign(&raw, isLarge ? hugePage : 64, size) == 0, let raw else {
      if endsWithoutMemory { ProcessLimits.endWithoutMemory(bytes: size) }
      fatalError("out of memory: \(size) bytes for a tensor")
    }
    #if os(Linux)
      if isLarge { madvise(raw, size, Int32(MADV_HUGEPAGE)) }
    #endif
    return raw.bindMemory(to: Float.self, capacity: max(count, 16))
  }

  /// Wraps memory that someone else owns. `release` runs when the last reference is released.
  package init(base: UnsafeMutablePointer<Float>, count: Int, writable: Bool, release: @escaping @Sendable () -> Void) {
    (self.base, self.count, self.writable, self.release) = (base, count, writable, release)
  }

  deinit { release() }
}
