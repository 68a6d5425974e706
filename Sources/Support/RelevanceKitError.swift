import Foundation

/// An error with a one-line description that a user can act on.
///
/// Every error that the package throws for bad input conforms to this protocol. Its description is one line that names
/// the file or node, the expected and the found value, and the next step. Its category determines the exit status of a
/// tool. Programming errors of a caller trap instead.
public protocol RelevanceKitError: LocalizedError, CustomStringConvertible, Sendable {
  /// The kind of failure.
  var category: ErrorCategory { get }
}

/// An error at a position in a text, which editors can mark.
public protocol LocatedError: RelevanceKitError {
  /// The line and the column, starting at 1; nil if the error concerns the whole text.
  var place: (line: Int, column: Int)? { get }
}

/// The categories of errors that a caller can distinguish.
public enum ErrorCategory: Sendable {
  /// The request is wrong: an unknown name or an invalid option.
  case usage
  /// A file or value is damaged, unsupported or of the wrong shape.
  case badData
  /// A file does not exist or cannot be read.
  case missingInput
  /// A file could not be written.
  case cannotWrite
}

/// An error that consists of a message and a category.
package struct SimpleError: RelevanceKitError, Equatable {
  package let category: ErrorCategory
  package let description: String

  package init(_ description: String, _ category: ErrorCategory = .badData) {
    (self.category, self.description) = (category, description)
  }

  /// The content of a file is invalid; `place` is the position in the file.
  package static func invalid(_ path: String, place: String? = nil, expected: String, found: String) -> Self {
    Self("\(path): \(place.map { "\($0): " } ?? "")expected \(expected), found \(found)")
  }
  /// A file exists, but cannot be read.
  package static func unreadable(_ path: String, reason: String) -> Self {
    Self("\(path): cannot be read: \(reason)", .missingInput)
  }
  package static func cannotWrite(_ path: String, reason: String) -> Self {
    Self("\(path): cannot be written: \(reason)", .cannotWrite)
  }
}

extension RelevanceKitError {
  /// The description, which `localizedDescription` also returns.
  public var errorDescription: String? { description }
}
