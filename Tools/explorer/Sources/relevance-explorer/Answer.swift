import AsyncAlgorithms
import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// HTTP responses.
enum Answer {
  static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) throws -> Response {
    bytes(try encoded(value), type: "application/json", status: status)
  }

  static func bytes(_ data: Data, type: String, status: HTTPResponse.Status = .ok, name: String? = nil) -> Response {
    var headers: HTTPFields = [.contentType: type]
    if let name { headers[.contentDisposition] = "attachment; filename=\"\(name)\"" }
    return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
  }

  static func refusal(_ error: ServiceError) -> Response {
    let status = HTTPResponse.Status(code: error.kind.rawValue)
    return (try? json(["error": error], status: status)) ?? refusal(status, "the request failed")
  }

  static func refusal(_ status: HTTPResponse.Status, _ message: String) -> Response {
    let body = (try? encoded(["error": ["message": message]])) ?? Data()
    return bytes(body, type: "application/json", status: status)
  }

  /// A value as one line of JSON with a final line break.
  static func encoded(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return try encoder.encode(value) + Data([0x0A])
  }

  /// The formats of an explanation.
  enum Kind: String, CaseIterable {
    case json = "application/json"
    case numbers = "application/x-npy"
    case image = "image/png"

    /// The first format in the Accept header; JSON if it contains none of them.
    init(accepted: String?) {
      for entry in (accepted ?? "").split(separator: ",") {
        let type = entry.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        if let kind = type == "image/*" ? .image : Kind(rawValue: type) {
          self = kind
          return
        }
      }
      self = .json
    }
  }

  /// A response that browsers cache for an hour.
  static func kept(_ response: Response) -> Response {
    var response = response
    response.headers[.cacheControl] = "private, max-age=3600"
    return response
  }

  /// Streams lines of JSON. The task waits while the client does not read, and ends when the client closes the
  /// connection.
  static func lines(
    _ work: @escaping @Sendable (@escaping @Sendable (WorkLine) async throws -> Void) async throws -> Void
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/x-ndjson"],
      body: ResponseBody { writer in
        let lines = AsyncChannel<WorkLine>()
        let task = Task {
          defer { lines.finish() }
          do { try await work { await lines.send($0) } } catch is CancellationError {} catch {
            await lines.send(WorkLine(done: 0, total: 0, error: ServiceError(error)))
          }
        }
        defer { task.cancel() }
        for await line in lines { try await writer.write(ByteBuffer(bytes: try encoded(line))) }
        try await writer.finish(nil)
      })
  }
}
