import ArgumentParser
import RelevanceKit

/// The values of further inputs, for networks with several inputs.
package struct InputValueOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The value of an input other than the image, for networks with several inputs. Repeatable.",
      valueName: "name=file.npy"),
    completion: .file(extensions: ["npy"]))
  package var input: [String] = []

  package init() {}

  /// The values by the names of the inputs.
  ///
  /// - Throws: `RelevanceKitError` if a file cannot be read, `ValidationError` for a malformed or repeated option.
  package func values() throws -> [String: Tensor] {
    var values: [String: Tensor] = [:]
    for text in input {
      guard let separator = text.lastIndex(of: "="), separator != text.startIndex else {
        throw ValidationError("--input \(text): expected NAME=FILE.npy")
      }
      let name = String(text[..<separator])
      guard try values.updateValue(NumPyFile.read(String(text[text.index(after: separator)...])), forKey: name) == nil
      else { throw ValidationError("--input \(name) is given twice") }
    }
    return values
  }
}
