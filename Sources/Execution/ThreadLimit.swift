import Foundation
import RelevanceSupport

/// How many threads there can be.
///
/// Each that multiplies matrices has a buffer of OpenBLAS's, which tries for ever to allocate it where the address space is limited. So
/// there must be room for all of them before the first.
enum ThreadLimit {
  /// What may be asked for.
  static let range = 1...1024
  /// Of OpenBLAS's buffer, on processors with the largest ones.
  private static let buffer = 129 << 20
  /// Of a thread besides: its stack, and what the C library keeps for it.
  private static let perHelper = buffer + 2 << 20 + 64 << 20
  /// Of all else that a run needs at least.
  private static let rest = 64 << 20

  /// A number of threads that cannot be.
  struct Fault: RelevanceKitError {
    let description: String
    var category: ErrorCategory { .usage }
  }

  /// How many threads to use, and what is wrong with the number that was asked for.
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
            "only \(megabytes(left)) of address space are left below the limit of this process (ulimit -v, -d); expected at least "
            + megabytes(buffer + rest))
      )
    }
    guard let wanted, min(wanted, Workers.most) > fitting else { return (min(count, fitting), nil) }
    let used = min(wanted, Workers.most)
    return (
      1,
      Fault(
        description:
          "\(used) threads need \(megabytes(buffer + rest + perHelper * (used - 1))) of address space, and \(megabytes(left)) are left below "
          + "the limit of this process (ulimit -v, -d); expected at most \(fitting) threads, or a higher limit")
    )
  }
}
