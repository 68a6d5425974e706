import Support

/// A data set that cannot be used: what went wrong, in one sentence that starts with the file.
package struct DataSetError: RelevanceKitError {
  package let category: ErrorCategory
  package let description: String

  private init(_ description: String, _ category: ErrorCategory = .badData) {
    (self.category, self.description) = (category, description)
  }

  static func missing(_ path: String, expected: String) -> Self {
    Self("\(path): not found; expected \(expected)", .missingInput)
  }
  /// It is there, but may not or cannot be read.
  static func unreadable(_ path: String, reason: String) -> Self {
    Self("\(path): cannot be read: \(reason)", .missingInput)
  }
  static func unrecognized(_ path: String) -> Self {
    let formats = DataSetFormat.allCases.map { "\($0.needs) (\($0.rawValue))" }.joined(separator: ", or ")
    return Self("\(path): not recognized as a data set; expected \(formats)", .usage)
  }
  static func needsLabels(_ path: String) -> Self {
    Self(
      "\(path): the format imagenet needs a labels file beside the folder, such as LOC_val_solution.csv, or lines of picture "
        + "and class", .usage)
  }
  /// The content is not what it must be; the place is within the file.
  static func invalid(_ path: String, place: String? = nil, expected: String, found: String) -> Self {
    Self("\(path): \(place.map { "\($0): " } ?? "")expected \(expected), found \(found)")
  }
  /// Class numbers in the order of the challenge's own development kit.
  static func challengeOrder(_ path: String) -> Self {
    Self(
      "\(path): bare numbers count the classes in the order of the challenge's development kit, which is not a network's; "
        + "expected LOC_val_solution.csv, or lines such as \"ILSVRC2012_val_00000001.JPEG n01751748\"")
  }
  /// Names that mean no class of the network: some of them, and how many there are.
  static func unknownClasses(_ path: String, examples: [String], count: Int, classes: Int) -> Self {
    Self(
      "\(path): \(count) class\(count == 1 ? " is" : "es are") not among the network's \(classes): "
        + examples.joined(separator: ", ") + (count > examples.count ? ", …" : "")
        + "; give a class file that says which class each name means, or skip unknown classes")
  }
  static func ambiguousClass(_ path: String, name: String, classes: [Int]) -> Self {
    let numbers = classes.map(String.init).joined(separator: " or ")
    return Self("\(path): the class \(name) may be \(numbers); give a class file that says which")
  }
  static func noSuchClass(_ path: String, _ index: Int, classes: Int) -> Self {
    Self("\(path): expected a class from 0 to \(classes - 1), found \(index)")
  }
  static func noPictures(_ path: String, _ format: DataSetFormat, notes: [String]) -> Self {
    Self(
      "\(path): expected \(format.needs), found no labeled picture"
        + (notes.isEmpty ? "" : " (\(notes.joined(separator: " ")))"))
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
