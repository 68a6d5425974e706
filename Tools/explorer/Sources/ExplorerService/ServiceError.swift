import RelevanceKit

/// Why a question has no answer, in one line.
public struct ServiceError: Error, Encodable, Sendable {
  /// Whose turn it is to change something; raw values are HTTP's status codes.
  public enum Kind: Int, Sendable {
    /// The question cannot be understood.
    case malformed = 400
    /// What is asked for is not there.
    case missing = 404
    /// More bytes or pixels than are taken.
    case tooLarge = 413
    /// Understood, but there is no answer: a class that does not exist, a table that does not fit, a damaged image.
    case unanswerable = 422
    /// Too many questions wait already.
    case busy = 503
    /// Something that nobody foresaw.
    case broken = 500
  }

  /// The bytes of a message at most: names in questions can be of any length.
  private static let longest = 2000

  public let kind: Kind
  public let message: String
  /// Where in a rule table the mistake is, from 1.
  public let line: Int?
  public let column: Int?

  public init(_ kind: Kind, _ message: String, line: Int? = nil, column: Int? = nil) {
    (self.kind, self.line, self.column) = (kind, line, column)
    let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
    self.message = line.utf8.count <= Self.longest ? line : line.prefix(Self.longest / 4) + "…"
  }

  /// What an error of the library means to whoever asked.
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
      return path.isEmpty ? "the question" : path
    }
    return switch error {
    case .typeMismatch(let type, let context): "\(place(context)): expected \(name(of: type))"
    case .valueNotFound(let type, let context): "\(place(context)): found null; expected \(name(of: type))"
    case .keyNotFound(let key, _): "the question has no \(key.stringValue)"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "not JSON: expected an object such as {\"image\": \"file:0/photo.jpg\"}"
        : "\(place(context)): \(context.debugDescription)"
    @unknown default: "the question cannot be read"
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
