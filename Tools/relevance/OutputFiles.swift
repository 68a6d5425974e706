import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Writes the values of every output of a model.
struct OutputFiles {
  /// The failures of outputs whose networks cannot be imported. These outputs are not written.
  private(set) var failures: [Failure] = []
  private var outputs: [(file: String, executor: Executor)] = []

  /// The file name of the logits.
  static let logits = "logits.npy"

  /// Reads the network of each output.
  init(of model: Model, threads: Int?) {
    var taken: Set<String> = []
    // If the explained output is unchanged, its values are the logits, and both share one file.
    let isShared = model.network.logits == model.network.graph.output
    if !isShared || Self.fileName(model.outputName) != Self.logits { taken.insert(Self.logits) }
    for name in model.outputNames {
      let file = Self.unique(Self.fileName(name), &taken)
      do {
        var network = model.network
        if name != model.outputName {
          network = try NeuralNetwork(contentsOf: model.file, output: name)
          network = model.network.fixedBatch == 1 ? network.openingBatch() ?? network : network
        }
        outputs.append((file, Executor(network, threads: threads)))
      } catch { failures.append(Failure(error, of: Relevance.self)) }
    }
  }

  /// Runs the networks on an input and writes their outputs.
  func write(for input: Input, to folder: URL) throws {
    for (file, executor) in outputs {
      let values = try input.run { try executor.trace($0).value(of: executor.network.graph.output) }
      try NumPyFile.write(values, to: folder.appendingPathComponent(file).path)
    }
  }

  /// A file name for an output that is valid on every system.
  private static func fileName(_ name: String) -> String {
    let safe = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    let letters = name.prefix(longestName).map { safe.contains($0) ? $0 : "_" }
    return (letters.first == "." || letters.isEmpty ? "_" : "") + String(letters) + ".npy"
  }

  private static let longestName = 120

  /// The name, with a number if it is taken, regardless of case.
  private static func unique(_ name: String, _ taken: inout Set<String>) -> String {
    var (result, number) = (name, 2)
    while !taken.insert(result.lowercased()).inserted {
      result = name.dropLast(".npy".count) + "-\(number).npy"
      number += 1
    }
    return result
  }
}

/// Writes a file, which appears under its name only when it is complete.
func writeFile(_ data: Data, to url: URL) throws {
  try AtomicFiles.write(data, to: url.path)
}

/// A report that is written as JSON.
protocol JSONReport: Encodable {}

extension JSONReport {
  /// Writes the report with sorted keys, and creates the folder.
  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try makeFolder(url.deletingLastPathComponent())
    try writeFile(encoder.encode(self), to: url)
  }
}
