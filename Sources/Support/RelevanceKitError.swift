import Foundation

/// What went wrong, in one line that a user can act on.
///
/// Every error that the package throws for bad input conforms: its description is a single sentence that names what, where,
/// expected and found; its category tells a tool which exit status to use. Mistakes of a caller's own code trap instead.
public protocol RelevanceKitError: LocalizedError, CustomStringConvertible, Sendable {
  /// The kind of failure.
  var category: ErrorCategory { get }
}

/// An error at a place of a text, for editors that point at it.
public protocol LocatedError: RelevanceKitError {
  /// The line and the column, from 1; nil if the whole text is meant.
  var place: (line: Int, column: Int)? { get }
}

/// The kinds of failure that a caller can tell apart.
public enum ErrorCategory: Sendable {
  /// The request itself is wrong: an unknown name, an option that does not fit.
  case usage
  /// A file or value is damaged, unsupported or of the wrong shape.
  case badData
  /// A file is not there or may not be read.
  case missingInput
  /// A file could not be written.
  case cannotWrite
}

/// An error of which only the sentence and its category matter.
package struct SimpleError: RelevanceKitError, Equatable {
  package let category: ErrorCategory
  package let description: String

  package init(_ description: String, _ category: ErrorCategory = .badData) {
    (self.category, self.description) = (category, description)
  }

  /// The content of a file is not what it must be; the place is within the file.
  package static func invalid(_ path: String, place: String? = nil, expected: String, found: String) -> Self {
    Self("\(path): \(place.map { "\($0): " } ?? "")expected \(expected), found \(found)")
  }
  /// A file is there, but may not or cannot be read.
  package static func unreadable(_ path: String, reason: String) -> Self {
    Self("\(path): cannot be read: \(reason)", .missingInput)
  }
  package static func cannotWrite(_ path: String, reason: String) -> Self {
    Self("\(path): cannot be written: \(reason)", .cannotWrite)
  }
}

extension RelevanceKitError {
  /// The description: what `localizedDescription` gives, too.
  public var errorDescription: String? { description }
}
