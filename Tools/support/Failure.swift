import ArgumentParser
import CRelevancePlatform
import CRelevanceToolStart
import Foundation
import RelevanceKit

/// The end of a run that failed.
package struct Failure {
  /// The description of the error, with the next step.
  package let line: String
  /// The exit status, which names the kind of error.
  package let status: Int32
  private let original: any Error
  private let command: any ParsableCommand.Type

  /// Describes an error of a command.
  package init(_ error: any Error, of command: any ParsableCommand.Type) {
    self.command = command
    original = error
    if let error = error as? any RelevanceKitError {
      line = error.description + (nextStep(after: error).map { "; \($0)" } ?? "")
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

  /// Reports the error and ends the process. For a request for help, prints the help instead.
  package func exit() -> Never {
    if status == 0 {
      // Help and version are results.
      let text = command.fullMessage(for: original)
      if !text.isEmpty { print(text) }
      do { try Console.flush() } catch { Failure(error, of: command).exit() }
    }
    if !line.isEmpty, status != 0 { report() }
    Foundation.exit(status)
  }

  /// Writes the line.
  package func report() { Console.line("\(command.configuration.commandName ?? "error"): ", .error, line) }
}

extension ParsableCommand {
  /// Parses the arguments and runs the command. Every failure is one line on standard error and an exit status.
  package static func runReportingFailure() {
    ctoolstart_link()
    cplatform_guard_process(name)
    TensorStorage.endsWithoutMemory = true
    do {
      let arguments = try GivenArguments.checked(CommandLine.names.dropFirst())
      try checkCommandName(arguments[...])
      var command = try parseAsRoot(arguments)
      try command.run()
      try Console.flush()
    } catch {
      Failure(error, of: self).exit()
    }
  }

  private static var name: String { configuration.commandName ?? "\(self)".lowercased() }

  /// Suggests a name for a command that does not exist.
  private static func checkCommandName(_ arguments: ArraySlice<String>) throws {
    guard let name = arguments.first, !name.hasPrefix("-"), name != "help" else { return }
    var known: [String] = []
    for command in configuration.subcommands {
      if command.name == name { return try command.checkCommandName(arguments.dropFirst()) }
      known.append(command.name)
    }
    // With a default subcommand, the word is an argument.
    if known.isEmpty || configuration.defaultSubcommand != nil { return }
    throw UnknownCommand(name: name, known: known)
  }
}

extension CommandLine {
  /// The arguments. File names that are not UTF-8 still refer to their files.
  package static var names: [String] {
    (0..<Int(argc)).compactMap { unsafeArgv[$0] }.map { argument in
      FileSystem.text(of: UnsafeRawBufferPointer(start: argument, count: strlen(argument)))
    }
  }
}

/// A command that does not exist.
private struct UnknownCommand: RelevanceKitError {
  let name: String
  let known: [String]

  var category: ErrorCategory { .usage }
  var description: String {
    let suggestion = Suggestion.nearest(to: name, among: known).map { "\($0)? One of " } ?? "one of "
    return "\(name): no such command; expected \(suggestion)\(known.joined(separator: ", "))"
  }
}
