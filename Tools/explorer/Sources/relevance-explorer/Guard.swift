import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// What is known of a request besides itself.
struct Context: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Closes the connection as soon as the answer is on its way, and says so: for requests that are refused before they are read.
  func closing(_ response: Response) -> Response {
    channel.eventLoop.scheduleTask(in: .milliseconds(250)) { [channel] in channel.close(promise: nil) }
    var response = response
    response.headers[.connection] = "close"
    return response
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
      return context.closing(Answer.refusal(objection.status, objection.message))
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
      return context.closing(
        Answer.refusal(
          .unauthorized,
          "no token or a wrong one; expected the address that relevance-explorer has printed, or Authorization: Bearer TOKEN"
        ))
    }
    do { return try await next(request, context) } catch is CancellationError {
      return context.closing(
        Answer.refusal(.init(code: 499, reasonPhrase: "Client Closed Request"), "the request was given up"))
    } catch is HTTPParserError {
      return context.closing(Answer.refusal(.badRequest, "the request breaks the rules of HTTP"))
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
    case .notFound: "there is nothing at \(request.uri.path.prefix(80)); GET /api/openapi.json lists what can be asked"
    case .contentTooLarge: "the request is too large"
    default: status.reasonPhrase.lowercased()
    }
  }
}
