import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// What is known of a request besides itself.
struct Context: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Closes the connection as soon as the answer is on its way: for requests that are refused before they are read.
  func closeAfterAnswer() {
    channel.eventLoop.scheduleTask(in: .milliseconds(250)) { [channel] in channel.close(promise: nil) }
  }
}

/// Refuses whoever may not ask, turns errors into one line of JSON, and tells browsers what pages of the service may do.
struct Guard: RouterMiddleware {
  let access: Access

  static let policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

  func handle(
    _ request: Request, context: Context, next: (Request, Context) async throws -> Response
  ) async throws -> Response {
    var response = await answer(request, context, next)
    response.headers[.contentSecurityPolicy] = Self.policy
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    response.headers[.crossOriginOpenerPolicy] = "same-origin"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    return response
  }

  private func answer(
    _ request: Request, _ context: Context, _ next: (Request, Context) async throws -> Response
  ) async -> Response {
    if let objection = access.objection(to: request) {
      context.closeAfterAnswer()
      return Answer.refusal(objection.status, objection.message)
    }
    if request.method == .get, request.uri.path == "/", access.hasToken(request) {
      // Behind the number sign is what the page shows; browsers keep it.
      return Response(
        status: .seeOther,
        headers: [
          .location: "/",
          .setCookie: "\(access.cookieName)=\(access.token ?? ""); Path=/; HttpOnly; SameSite=Strict",
        ])
    }
    guard access.admits(request) else {
      context.closeAfterAnswer()
      return Answer.refusal(
        .unauthorized,
        "no token or a wrong one; expected the address that relevance-explorer has printed, or Authorization: Bearer TOKEN"
      )
    }
    do { return try await next(request, context) } catch let error as ServiceError {
      if error.kind == .tooLarge { context.closeAfterAnswer() }
      return Answer.refusal(error)
    } catch is CancellationError {
      return Answer.refusal(.init(code: 499, reasonPhrase: "Client Closed Request"), "the request was given up")
    } catch let error as any HTTPResponseError {
      context.closeAfterAnswer()
      return Answer.refusal(error.status, Self.words(for: error.status, request))
    } catch {
      context.closeAfterAnswer()
      return Answer.refusal(ServiceError(error))
    }
  }

  private static func words(for status: HTTPResponse.Status, _ request: Request) -> String {
    switch status {
    case .notFound: "there is nothing at \(request.uri.path.prefix(80)); GET /api/openapi.json lists what can be asked"
    case .contentTooLarge: "the request is too large"
    default: status.reasonPhrase.lowercased()
    }
  }
}

/// Answers as they are sent.
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

  /// One line, with a line break at its end.
  static func encoded(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
    return try encoder.encode(value) + Data([0x0A])
  }
}
