import ArgumentParser
import RelevanceKit

/// What the inputs of a network with several are, but for the image.
package struct InputValueOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The value of an input, for a network with several: of all but one, the image. Repeatable.",
      valueName: "name=file.npy"),
    completion: .file(extensions: ["npy"]))
  package var input: [String] = []

  package init() {}

  /// The values by name.
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
