import Support
import Tensors

/// A data set that cannot be used.
package enum DataSetError: RelevanceKitError, Equatable {
  /// There is no such file or folder.
  case missing(String, expected: String)
  /// It is there, but may not or cannot be read.
  case unreadable(String, reason: String)
  /// What is there looks like no data set.
  case unrecognized(String)
  /// A folder of the format `imagenet` without a file of labels.
  case needsLabels(String)
  /// The content is not what it must be; the place is within the file.
  case invalid(String, place: String? = nil, expected: String, found: String)
  /// Class numbers in the order of the challenge's own development kit.
  case challengeOrder(String)
  /// Names that mean no class of the network: some of them, and how many there are.
  case unknownClasses(String, examples: [String], count: Int, classes: Int)
  /// A name that means several classes.
  case ambiguousClass(String, name: String, classes: [Int])
  /// A class number that the network does not have.
  case noSuchClass(String, Int, classes: Int)
  /// Nothing is left to evaluate.
  case noPictures(String, DataSetFormat, notes: [String])

  /// The kind of failure.
  package var category: ErrorCategory {
    switch self {
    case .missing, .unreadable: .missingInput
    case .needsLabels, .unrecognized: .usage
    default: .badData
    }
  }

  /// What went wrong, in one sentence that starts with the file.
  package var description: String {
    switch self {
    case .missing(let path, let expected): "\(path): not found; expected \(expected)"
    case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
    case .unrecognized(let path):
      "\(path): not recognized as a data set; expected "
        + DataSetFormat.allCases.map { "\($0.needs) (\($0.rawValue))" }.joined(separator: ", or ")
    case .needsLabels(let path):
      "\(path): the format imagenet needs a labels file beside the folder, such as LOC_val_solution.csv, or lines of picture "
        + "and class"
    case .invalid(let path, let place, let expected, let found):
      "\(path): \(place.map { "\($0): " } ?? "")expected \(expected), found \(found)"
    case .challengeOrder(let path):
      "\(path): bare numbers count the classes in the order of the challenge's development kit, which is not a network's; "
        + "expected LOC_val_solution.csv, or lines such as \"ILSVRC2012_val_00000001.JPEG n01751748\""
    case .unknownClasses(let path, let examples, let count, let classes):
      "\(path): \(count) class\(count == 1 ? " is" : "es are") not among the network's \(classes): "
        + examples.joined(separator: ", ") + (count > examples.count ? ", …" : "")
        + "; give a class file that says which class each name means, or skip unknown classes"
    case .ambiguousClass(let path, let name, let classes):
      "\(path): the class \(name) may be \(classes.map(String.init).joined(separator: " or ")); give a class file that says which"
    case .noSuchClass(let path, let index, let classes):
      "\(path): expected a class from 0 to \(classes - 1), found \(index)"
    case .noPictures(let path, let format, let notes):
      "\(path): expected \(format.needs), found no labeled picture"
        + (notes.isEmpty ? "" : " (\(notes.joined(separator: " ")))")
    }
  }
}

extension DataSetError {
  /// What is wrong with a piece of JSON.
  static func json(_ path: String, place: String? = nil, _ error: any Error) -> DataSetError {
    guard let error = error as? DecodingError else {
      return .invalid(path, place: place, expected: "JSON", found: "\(error)")
    }
    func failure(_ context: DecodingError.Context, expected: String, found: String) -> DataSetError {
      let keys = context.codingPath.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined()
      let places = [place, keys.isEmpty ? nil : keys.trimmingPrefix(".").description].compactMap(\.self)
      return .invalid(
        path, place: places.isEmpty ? nil : places.joined(separator: ": "), expected: expected, found: found)
    }
    func name(_ type: any Any.Type) -> String {
      switch type {
      case is any BinaryInteger.Type: "a whole number"
      case is any BinaryFloatingPoint.Type: "a number"
      case is String.Type: "text"
      case is Bool.Type: "true or false"
      default: "\(type)".hasPrefix("Array") ? "a list" : "an object"
      }
    }
    switch error {
    case .keyNotFound(let key, let context): return failure(context, expected: "\"\(key.stringValue)\"", found: "none")
    case .typeMismatch(let type, let context):
      return failure(context, expected: name(type), found: "another kind of value")
    case .valueNotFound(let type, let context): return failure(context, expected: name(type), found: "null")
    case .dataCorrupted(let context):
      return failure(context, expected: "JSON", found: context.debugDescription.lowercasedFirst)
    @unknown default: return .invalid(path, place: place, expected: "JSON", found: "\(error)")
    }
  }
}

extension String {
  fileprivate var lowercasedFirst: String {
    prefix(1).lowercased() + (hasSuffix(".") ? dropFirst().dropLast() : dropFirst())
  }
}
