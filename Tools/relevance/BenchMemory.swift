import Foundation
import RelevanceKit

/// The memory of predictions and explanations.
struct BenchMemory {
  /// The peak resident memory of the process, in bytes.
  let peak: Int
  /// The memory of the last trace.
  var trace: Trace.Bytes?
  /// Weights in layouts derived from those of the model, in bytes.
  var derivedWeights = 0

  init(peak: Int) { self.peak = peak }

  func description(of network: NeuralNetwork) -> String {
    let parameters = network.graph.nodes.flatMap(\.operation.parameters)
    func bytes(_ tensors: [Tensor]) -> Int { tensors.reduce(0) { $0 + $1.count * MemoryLayout<Float>.stride } }
    let mapped = bytes(parameters.filter { !$0.storage.writable })
    var lines = [
      "memory: peak \(Self.megabytes(peak)) resident",
      "  weights \(Self.megabytes(bytes(parameters))), of which mapped from files \(Self.megabytes(mapped)); "
        + "in derived layouts \(Self.megabytes(derivedWeights))",
    ]
    if let trace {
      lines.append(
        "  trace \(Self.megabytes(trace.values + trace.sideProducts)), of which positive products "
          + "\(Self.megabytes(trace.sideProducts)); denominators \(Self.megabytes(trace.denominators)) more")
    }
    return lines.joined(separator: "\n")
  }

  private static func megabytes(_ bytes: Int) -> String { String(format: "%.1f MB", Double(bytes) / 1e6) }
}

/// The peak resident memory of the process so far, including mapped files, in bytes.
func peakResidentBytes() -> Int {
  #if os(Linux)
    // getrusage may report the peak of the parent process.
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
  #else
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    return Int(usage.ru_maxrss)
  #endif
}
