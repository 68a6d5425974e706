import RelevanceSupport

/// Errors of data sets.
extension SimpleError {
  static func missing(_ path: String, expected: String) -> Self {
    Self("\(path): not found; expected \(expected)", .missingInput)
  }
  static func unrecognized(_ path: String) -> Self {
    let formats = DataSetFormat.allCases.map { "\($0.needs) (\($0.rawValue))" }.joined(separator: ", or ")
    return Self("\(path): not recognized as a data set; expected \(formats)", .usage)
  }
  static func noSuchClass(_ path: String, _ index: Int, classes: Int) -> Self {
    Self("\(path): expected a class from 0 to \(classes - 1), found \(index)")
  }

  /// An error in a JSON text.
  static func json(_ path: String, place: String? = nil, _ error: any Error) -> SimpleError {
    guard let error = error as? DecodingError else {
      return .invalid(path, place: place, expected: "JSON", found: "\(error)")
    }
    func failure(_ context: DecodingError.Context, expected: String, found: String) -> SimpleError {
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
