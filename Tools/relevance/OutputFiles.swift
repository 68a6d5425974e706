import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The values of every output of a model's file, as files.
struct OutputFiles {
  /// Why outputs are left out: the network of each that cannot be imported.
  private(set) var failures: [Failure] = []
  private var outputs: [(file: String, executor: Executor)] = []

  /// The name of the file that has the logits.
  static let logits = "logits.npy"

  /// Reads the network of each output.
  init(of model: Model, threads: Int?) {
    var taken: Set<String> = []
    // An output that the network explains as it is has the same values as the file of the logits.
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

  /// Runs the networks on an input and writes what each makes.
  func write(for input: Input, to folder: URL) throws {
    for (file, executor) in outputs {
      let values = try input.run { try executor.trace($0).value(of: executor.network.graph.output) }
      try NumPyFile.write(values, to: folder.appendingPathComponent(file).path)
    }
  }

  /// A name for the file of an output that every system takes.
  private static func fileName(_ name: String) -> String {
    let safe = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    let letters = name.prefix(longestName).map { safe.contains($0) ? $0 : "_" }
    return (letters.first == "." || letters.isEmpty ? "_" : "") + String(letters) + ".npy"
  }

  private static let longestName = 120

  /// The name, with a number if it is taken in capitals or small letters.
  private static func unique(_ name: String, _ taken: inout Set<String>) -> String {
    var (result, number) = (name, 2)
    while !taken.insert(result.lowercased()).inserted {
      result = name.dropLast(".npy".count) + "-\(number).npy"
      number += 1
    }
    return result
  }
}

/// Writes a file that appears under its name only when it is complete.
func writeFile(_ data: Data, to url: URL) throws {
  try AtomicFiles.write(data, to: url.path)
}

/// A report that is written as JSON.
protocol JSONReport: Encodable {}

extension JSONReport {
  /// Writes it with sorted keys, and makes the folder.
  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try makeFolder(url.deletingLastPathComponent())
    try writeFile(encoder.encode(self), to: url)
  }
}
