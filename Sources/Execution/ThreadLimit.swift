import Foundation
import RelevanceSupport

/// The limit of the number of threads.
///
/// Each thread that multiplies matrices has a buffer of OpenBLAS, which retries its allocation endlessly if the address
/// space is limited. The address space must therefore have room for all buffers before the first one is allocated.
enum ThreadLimit {
  /// The accepted numbers.
  static let range = 1...1024
  /// The size of OpenBLAS's buffer on processors with the largest ones.
  private static let buffer = 129 << 20
  /// The size of a thread: the buffer, its stack, and the C library's data.
  private static let perHelper = buffer + 2 << 20 + 64 << 20
  /// The minimum size of everything else in a run.
  private static let rest = 64 << 20

  /// An error in the number of threads.
  struct Fault: RelevanceKitError {
    let description: String
    var category: ErrorCategory { .usage }
  }

  /// The number of threads to use, and the error if the requested number is not possible.
  static func count(for wanted: Int?) -> (Int, Fault?) {
    let count = wanted ?? ProcessInfo.processInfo.activeProcessorCount
    guard range.contains(count) else {
      return (
        1, Fault(description: "\(count) threads; expected a number from \(range.lowerBound) to \(range.upperBound)")
      )
    }
    guard let left = ProcessLimits.addressSpaceLeft else { return (count, nil) }
    func megabytes(_ bytes: Int) -> String { "\((bytes + 999_999) / 1_000_000) MB" }
    let fitting = (left - buffer - rest) / perHelper + 1
    guard left >= buffer + rest else {
      return (
        1,
        Fault(
          description:
            "only \(megabytes(left)) of address space is left below the limit of this process (ulimit -v, -d); expected at least "
            + megabytes(buffer + rest))
      )
    }
    guard let wanted, min(wanted, Workers.most) > fitting else { return (min(count, fitting), nil) }
    let used = min(wanted, Workers.most)
    return (
      1,
      Fault(
        description:
          "\(used) threads need \(megabytes(buffer + rest + perHelper * (used - 1))) of address space, but \(megabytes(left)) is left below "
          + "the limit of this process (ulimit -v, -d); expected at most \(fitting) threads, or a higher limit")
    )
  }
}
