import RelevanceKit

/// Corrects or rejects arguments that the parser would misread.
enum GivenArguments {
  /// The arguments in a form that the parser reads as intended.
  ///
  /// - Throws: `RelevanceKitError` for a file name that looks like options, and for an empty `--output`.
  static func checked(_ arguments: ArraySlice<String>) throws -> [String] {
    var result: [String] = []
    var isPositional = false
    for argument in arguments {
      if argument == "--" { isPositional = true }
      guard !isPositional else {
        result.append(argument)
        continue
      }
      if argument == "--output=" || argument.isEmpty && result.last == "--output" { throw ArgumentFault.noOutput }
      if let last = result.last, last.hasPrefix("--"), !last.contains("="), isNegative(argument) {
        // A negative number is the value of the option, which rejects it; it is no option itself.
        result[result.count - 1] = "\(last)=\(argument)"
        continue
      }
      if isMistaken(argument) { throw ArgumentFault.mistaken(argument) }
      result.append(argument)
    }
    return result
  }

  private static func isNegative(_ text: String) -> Bool {
    text.hasPrefix("-") && text.dropFirst().first?.isNumber == true && Double(text) != nil
  }

  /// Whether a text looks like short options that do not all exist, such as `-dash.npy`, whose `h` would request help.
  private static func isMistaken(_ text: String) -> Bool {
    text.count > 1 && text.hasPrefix("-") && !text.hasPrefix("--") && text.dropFirst().contains { !"hqv".contains($0) }
      && !(text.dropFirst().first.map { $0.isNumber || $0 == "." } ?? false)
  }
}

private enum ArgumentFault: RelevanceKitError {
  case mistaken(String)
  case noOutput

  var category: ErrorCategory { .usage }
  var description: String {
    switch self {
    case .mistaken(let text): "\(text): no such option; a file of this name is ./\(text)"
    case .noOutput: "--output is empty; expected a path"
    }
  }
}
