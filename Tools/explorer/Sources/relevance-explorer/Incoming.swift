import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Reads requests.
enum Incoming {
  static func parameter(_ name: String, _ request: Request) throws -> String {
    guard let value = request.uri.queryParameters[Substring(name)] else {
      throw ServiceError(.malformed, "the request has no \(name)")
    }
    return String(value)
  }

  /// The fields of a request: JSON, or an image with the other fields in the query.
  static func question(of request: Request, atMost limit: Int) async throws -> Question {
    let data = try await body(of: request, atMost: limit)
    let type = request.headers[.contentType] ?? "application/json"
    guard type.hasPrefix("image/") || type == "application/octet-stream" else {
      return try JSONDecoder().decode(Question.self, from: data)
    }
    var question = Question()
    question.data = data
    for (name, value) in request.uri.queryParameters { try question.set(String(name), to: String(value)) }
    return question
  }

  /// The body of a request, if it is no larger than a limit and arrives in time.
  static func body(of request: Request, atMost limit: Int) async throws -> Data {
    if let text = request.headers[.contentLength], let length = Int(text), length > limit {
      throw ServiceError(.tooLarge, "the request has \(length) bytes; expected at most \(limit)")
    }
    return try await withThrowingTaskGroup(of: Data?.self) { group in
      group.addTask {
        do {
          let buffer = try await request.body.collect(upTo: limit)
          return Data(buffer.readableBytesView)
        } catch is NIOTooManyBytesError {
          throw ServiceError(.tooLarge, "the request has more than \(limit) bytes")
        }
      }
      group.addTask {
        try await Task.sleep(for: .seconds(2 * Server.patience))
        return nil
      }
      defer { group.cancelAll() }
      guard let data = try await group.next() ?? nil else {
        throw HTTPError(.requestTimeout)
      }
      return data
    }
  }
}
