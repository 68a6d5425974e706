import ArgumentParser
import Foundation
import RelevanceKit

@main
struct Relevance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relevance",
    abstract: "Shows which pixels spoke for a decision of a convolutional network in an ONNX file.",
    subcommands: [Explain.self, Predict.self, Inspect.self, Bench.self])

  /// Every failure is one line on standard error and an exit status that says whose it is.
  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure(error).exit()
    }
  }
}

/// How a run ends that did not do what it was asked.
struct Failure {
  let line: String
  let status: Int32
  private let original: any Error

  init(_ error: any Error) {
    original = error
    if let error = error as? any RelevanceKitError {
      line = error.description
      status =
        switch error.category {
        case .usage: 64
        case .badData: 65
        case .missingInput: 66
        case .cannotWrite: 73
        }
    } else {
      line = Relevance.message(for: error).split(separator: "\n").joined(separator: " ")
      // An error that neither the package nor the argument parser foresees is a bug.
      let code = Relevance.exitCode(for: error)
      status = code == .failure ? 70 : code.rawValue
    }
  }

  /// Says what is wrong and ends the process; a request for help is answered instead.
  func exit() -> Never {
    if status == 0 { Relevance.exit(withError: original) }
    if !line.isEmpty { report() }
    Foundation.exit(status)
  }

  /// Writes the line; names that contain line breaks or other control characters cannot make it several.
  func report() {
    let printable = String(
      String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    FileHandle.standardError.write(Data("relevance: \(printable)\n".utf8))
  }
}

/// A note for people that is not part of a command's result.
func note(_ text: String) { FileHandle.standardError.write(Data("note: \(text)\n".utf8)) }
