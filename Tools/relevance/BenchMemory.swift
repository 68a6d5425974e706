import Foundation
import RelevanceKit

/// What predictions and explanations take in memory.
struct BenchMemory {
  /// The most that the process has had resident.
  let peak: Int
  /// What the last trace took.
  var trace: Trace.Bytes?
  /// Weights in layouts that were made of the model's.
  var derivedWeights = 0

  init(peak: Int) { self.peak = peak }

  func description(of network: NeuralNetwork) -> String {
    let parameters = network.graph.nodes.flatMap(\.operation.parameters)
    func bytes(_ tensors: [Tensor]) -> Int { tensors.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride } }
    let mapped = bytes(parameters.filter { !$0.storage.writable })
    var lines = [
      "memory: peak \(Self.megabytes(peak)) resident",
      "  weights \(Self.megabytes(bytes(parameters))), of which mapped from files \(Self.megabytes(mapped)); "
        + "in layouts made of them \(Self.megabytes(derivedWeights))",
    ]
    if let trace {
      lines.append(
        "  a trace \(Self.megabytes(trace.values + trace.sideProducts)), of which positive products "
          + "\(Self.megabytes(trace.sideProducts)); denominators besides \(Self.megabytes(trace.denominators))")
    }
    return lines.joined(separator: "\n")
  }

  private static func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
}

/// The most memory that the process has had resident so far, mapped files included.
func peakResidentBytes() -> Int {
  #if os(Linux)
    // What getrusage says there may be that of the process which started this one.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  #else
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return Int(usage.ru_maxrss)
  #endif
}
