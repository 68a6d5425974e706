import Foundation
import RelevanceKit

/// One thing done several times as a whole: how long it took, what it computed and how often the kernel had to find pages for it.
struct WholeRuns {
  let name: String
  private var milliseconds: [Double] = []
  private var pageFaults: [Int] = []
  /// Multiply-adds of products with weights, of the last run: all have the same.
  private var multiplyAdds = 0

  init(name: String) { self.name = name }

  /// Does it once; a run that does not count is there to get warm.
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

  /// Of a rate in floating point operations per second.
  func share(of peak: Double) -> String {
    let seconds = milliseconds.sorted()[milliseconds.count / 2] / 1000
    guard peak > 0, seconds > 0, multiplyAdds > 0 else { return "–" }
    return String(format: "%.1f %%", 100 * 2 * Double(multiplyAdds) / seconds / peak)
  }
}

/// Page faults of the process so far, with and without reading from a file.
func processPageFaults() -> Int {
  var usage = rusage()
  #if os(Linux)
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
  #else
    getrusage(RUSAGE_SELF, &usage)
  #endif
  return Int(usage.ru_minflt + usage.ru_majflt)
}
