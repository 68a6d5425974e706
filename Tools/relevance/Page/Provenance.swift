import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The information for reproducing the maps of a page.
struct Provenance {
  /// The command line.
  let command: String
  /// Versions and settings that affect the result.
  let versions: [(name: String, value: String)]
  /// A line for each file of the model, in the format of `sha256sum`.
  let modelChecksums: [String]

  init(_ model: Model, threads: Int, instructionSet: InstructionSet) throws {
    command = Self.shellCommand(CommandLine.names)
    versions = [
      ("RelevanceKit", RelevanceKitPackage.version), ("BLAS", BLAS.configuration), ("Processor kind", BLAS.coreName),
      ("Instruction set of other loops", instructionSet.rawValue), ("Threads", "\(threads)"),
    ]
    let folder = URL(fileURLWithPath: model.file).deletingLastPathComponent()
    let labels = model.labels.map { _ in folder.appendingPathComponent("config.json").path }
    modelChecksums = try (model.files + [model.preprocessingFile, labels].compactMap { $0 }).map(Self.checksum)
  }

  /// The checksum of a file, in the format of `sha256sum`.
  ///
  /// - Throws: `ProvenanceError` if the file cannot be read.
  static func checksum(of path: String) throws -> String {
    do { return "\(try SHA256.digest(ofFile: path).hexadecimal)  \(path)" } catch let problem as FileProblem {
      throw ProvenanceError.unreadable(path, reason: problem.reason)
    }
  }

  /// The arguments quoted for a shell, with the command name without its folder.
  static func shellCommand(_ arguments: [String]) -> String {
    let safe = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@%+")
    let words = arguments.prefix(1).map { URL(fileURLWithPath: $0).lastPathComponent } + arguments.dropFirst()
    return words.map { word in
      let isPlain = !word.isEmpty && word.allSatisfy(safe.contains)
      return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
    }.joined(separator: " ")
  }
}

/// A file whose checksum cannot be computed.
enum ProvenanceError: RelevanceKitError {
  case unreadable(String, reason: String)

  var category: ErrorCategory { .missingInput }
  var description: String {
    switch self {
    case .unreadable(let file, let reason): "\(file): cannot be read for its checksum: \(reason)"
    }
  }
}
