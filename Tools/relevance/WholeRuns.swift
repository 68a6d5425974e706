import Foundation
import RelevanceKit

/// Repeated runs of one operation: times, multiply-adds and page faults.
struct WholeRuns {
  let name: String
  private var milliseconds: [Double] = []
  private var pageFaults: [Int] = []
  /// Multiply-adds of products with weights in the last run. All runs have the same number.
  private var multiplyAdds = 0

  init(name: String) { self.name = name }

  /// Runs the operation once. A run that does not count is a warm-up.
  mutating func measure(_ products: ProductCount, counts: Bool, _ body: () throws -> Void) throws {
    let (faults, computed) = (processPageFaults(), products.multiplyAdds)
    let time = try timed(body).milliseconds
    guard counts else { return }
    milliseconds.append(time)
    pageFaults.append(processPageFaults() - faults)
    multiplyAdds = products.multiplyAdds - computed
  }

  func line(items: Int) -> String {
    let times = milliseconds.sorted()
    let median = times[times.count / 2]
    let padded = name.padding(toLength: max(name.count, 32), withPad: " ", startingAt: 0)
    return padded
      + String(
        format: "median %8.1f ms   best %8.1f ms   worst %8.1f ms   page faults %6d", median, times[0],
        times[times.count - 1], pageFaults.sorted()[pageFaults.count / 2])
      + (items > 1 ? String(format: "   median per image %8.1f ms", median / Double(items)) : "")
  }

  /// The achieved rate as a share of a peak rate.
  ///
  /// - Parameter peak: floating point operations per second.
  func share(of peak: Double) -> String {
    let seconds = milliseconds.sorted()[milliseconds.count / 2] / 1000
    guard peak > 0, seconds > 0, multiplyAdds > 0 else { return "–" }
    return String(format: "%.1f %%", 100 * 2 * Double(multiplyAdds) / seconds / peak)
  }
}

/// The number of page faults of the process so far, minor and major.
func processPageFaults() -> Int {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  #else
    getrusage(RUSAGE_SELF, &usage)
  #endif
  return Int(usage.ru_minflt + usage.ru_majflt)
}
