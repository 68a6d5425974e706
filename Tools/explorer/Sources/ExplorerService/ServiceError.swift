import RelevanceKit

/// The reason why a request failed, in one line.
public struct ServiceError: Error, Encodable, Sendable {
  /// The kind of a failure. Raw values are HTTP status codes.
  public enum Kind: Int, Sendable {
    /// The request is malformed.
    case malformed = 400
    /// A model, an image or another resource does not exist.
    case missing = 404
    /// Too many bytes or pixels.
    case tooLarge = 413
    /// The request is well-formed but cannot be answered: the class does not exist, the table does not fit, the image
    /// is damaged.
    case unanswerable = 422
    /// Too many requests are waiting.
    case busy = 503
    /// An unexpected failure.
    case broken = 500
  }

  /// The largest length of a message in bytes. Names in requests can have any length.
  private static let longest = 2000

  public let kind: Kind
  public let message: String
  /// The line and column of a mistake in a rule table, starting at 1.
  public let line: Int?
  public let column: Int?

  public init(_ kind: Kind, _ message: String, line: Int? = nil, column: Int? = nil) {
    (self.kind, self.line, self.column) = (kind, line, column)
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    self.message = line.utf8.count <= Self.longest ? line : line.prefix(Self.longest / 4) + "…"
  }

  /// Converts an error of the library.
  public init(_ error: any Error) {
    switch error {
    case let error as ServiceError: self = error
    case let error as any LocatedError:
      self.init(.unanswerable, error.description, line: error.place?.line, column: error.place?.column)
    case let error as any RelevanceKitError: self.init(.unanswerable, error.description)
    case let error as DecodingError: self.init(.malformed, Self.words(for: error))
    default: self.init(.broken, "\(error)")
    }
  }

  private static func words(for error: DecodingError) -> String {
    func place(_ context: DecodingError.Context) -> String {
      let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
      return path.isEmpty ? "the request" : path
    }
    return switch error {
    case .typeMismatch(let type, let context): "\(place(context)): expected \(name(of: type))"
    case .valueNotFound(let type, let context): "\(place(context)): found null; expected \(name(of: type))"
    case .keyNotFound(let key, _): "the request has no \(key.stringValue)"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "not JSON: expected an object such as {\"image\": \"file:0/photo.jpg\"}"
        : "\(place(context)): \(context.debugDescription)"
    @unknown default: "the request cannot be decoded"
    }
  }

  private static func name(of type: Any.Type) -> String {
    switch type {
    case is String.Type: "text"
    case is Bool.Type: "true or false"
    case is Int.Type: "a whole number"
    case is Double.Type, is Float.Type: "a number"
    case is [Any].Type: "a list"
    default: "an object"
    }
  }

  private enum CodingKeys: CodingKey { case message, line, column }
}
