import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// The context of a request: its connection.
struct Context: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Closes the connection after the response, and announces it in the header. For requests that are refused before
  /// they are read.
  func closing(_ response: Response) -> Response {
    channel.eventLoop.scheduleTask(in: .milliseconds(250)) { [channel] in channel.close(promise: nil) }
    var response = response
    response.headers[.connection] = "close"
    return response
  }
}

/// Refuses requests without access, turns errors into one line of JSON, and sets the security headers.
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
      return context.closing(Answer.refusal(objection.status, objection.message))
    }
    if request.method == .get, request.uri.path == "/", access.hasToken(request) {
      // Browsers keep the fragment of the address, which contains the page's state.
      return Response(
        status: .seeOther,
        headers: [
          .location: "/",
          .setCookie: "\(access.cookieName)=\(access.token ?? ""); Path=/; HttpOnly; SameSite=Strict",
        ])
    }
    guard access.admits(request) else {
      return context.closing(
        Answer.refusal(
          .unauthorized,
          "the token is missing or wrong; open the printed address, or send the header Authorization: Bearer TOKEN"
        ))
    }
    do { return try await next(request, context) } catch is CancellationError {
      return context.closing(
        Answer.refusal(.init(code: 499, reasonPhrase: "Client Closed Request"), "the request was canceled"))
    } catch is HTTPParserError {
      return context.closing(Answer.refusal(.badRequest, "the request is not valid HTTP"))
    } catch let error as any HTTPResponseError {
      let refusal = Answer.refusal(error.status, Self.words(for: error.status, request))
      return error.status == .notFound ? refusal : context.closing(refusal)
    } catch {
      let error = ServiceError(error)
      let refusal = Answer.refusal(error)
      return [.tooLarge, .broken].contains(error.kind) ? context.closing(refusal) : refusal
    }
  }

  private static func words(for status: HTTPResponse.Status, _ request: Request) -> String {
    switch status {
    case .notFound: "there is no \(request.uri.path.prefix(80)); GET /api/openapi.json lists the requests"
    case .contentTooLarge: "the request is too large"
    default: status.reasonPhrase.lowercased()
    }
  }
}
