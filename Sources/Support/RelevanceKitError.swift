import Foundation

/// What went wrong, in one line that a user can act on.
///
/// Every error that the package throws for bad input conforms: its description is a single sentence that names what, where,
/// expected and found; its category tells a tool which exit status to use. Mistakes of a caller's own code trap instead.
public protocol RelevanceKitError: LocalizedError, CustomStringConvertible, Sendable {
  /// The kind of failure.
  var category: ErrorCategory { get }
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

extension RelevanceKitError {
  /// The description: what `localizedDescription` gives, too.
  public var errorDescription: String? { description }
}
