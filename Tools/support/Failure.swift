import ArgumentParser
import Foundation
import RelevanceKit

/// How a run ends that did not do what it was asked.
package struct Failure {
  /// What went wrong.
  package let line: String
  /// The exit status that says whose fault it is.
  package let status: Int32
  private let original: any Error
  private let command: any ParsableCommand.Type

  /// What an error means for the command that met it.
  package init(_ error: any Error, of command: any ParsableCommand.Type) {
    self.command = command
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
      line = command.message(for: error).split(separator: "\n").joined(separator: " ")
      // An error that neither the package nor the argument parser foresees is a bug.
      let code = command.exitCode(for: error)
      status = code == .failure ? 70 : code.rawValue
    }
  }

  /// Says what is wrong and ends the process; a request for help is answered instead.
  package func exit() -> Never {
    if status == 0 { command.exit(withError: original) }
    if !line.isEmpty { report() }
    Foundation.exit(status)
  }

  /// Writes the line; names that contain line breaks or other control characters cannot make it several.
  package func report() {
    let printable = String(
      String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    let name = command.configuration.commandName ?? "error"
    FileHandle.standardError.write(Data("\(name): \(printable)\n".utf8))
  }
}

extension ParsableCommand {
  /// Parses the arguments and runs the command; every failure is one line on standard error and an exit status.
  package static func runReportingFailure() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      Failure(error, of: self).exit()
    }
  }
}

/// A note for people that is not part of a command's result.
package func note(_ text: String) {
  // What was printed before comes before, wherever both go.
  fflush(nil)
  FileHandle.standardError.write(Data("note: \(text)\n".utf8))
}
