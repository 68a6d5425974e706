import ExplorerService
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// The service could not begin.
struct ServerError: Error, CustomStringConvertible { let description: String }

/// The files that the service writes for a moment.
enum Scratch {
  static func remove() {
    let folder = FileManager.default.temporaryDirectory
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(Explorer.scratchPrefix) {
      try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
    }
  }
}

/// The service at a port of this machine.
struct Server {
  let explorer: Explorer
  let host: String
  let port: Int
  let token: String?
  let allowedHosts: [String]
  /// The program `relevance`; nil if it is not there.
  let tool: String?

  /// Connections that are open at a time; others wait.
  private static let connections = 256
  /// How long a connection may be silent, a header incomplete or a body on its way.
  private static let patience = 15

  init(_ explorer: Explorer, host: String, port: Int, token: String?, allowedHosts: [String], tool: String?) {
    (self.explorer, self.host, self.port, self.token) = (explorer, host, port, token)
    (self.allowedHosts, self.tool) = (allowedHosts, tool)
  }

  /// Serves until the process ends.
  ///
  /// - Parameter begun: is told the port.
  func run(_ begun: @escaping @Sendable (Int) -> Void) async throws {
    let access = Access(host: host, token: token, allowed: allowedHosts)
    let router = Router(context: Context.self)
    router.addMiddleware { Guard(access: access) }
    addPage(to: router)
    addQuestions(to: router)
    addWork(to: router)
    var logger = Logger(label: "relevance-explorer")
    logger.logLevel = .critical
    let application = Application(
      router: router,
      server: .http1(
        configuration: .init(
          idleTimeout: .seconds(Int64(Self.patience)),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 32 << 10, maxHeaderFieldCount: 100))),
      configuration: .init(
        address: .hostname(host, port: port),
        availableConnectionsDelegate: MaximumAvailableConnections(Self.connections)),
      onServerRunning: { channel in
        access.port.store(channel.localAddress?.port ?? 0, ordering: .releasing)
        begun(access.port.load(ordering: .acquiring))
      }, logger: logger)
    do { try await application.run() } catch let error as IOError {
      throw ServerError(
        description:
          "\(host):\(port): cannot be listened at: \(String(cString: strerror(error.errnoCode))); --port 0 takes a free port"
      )
    } catch { throw ServerError(description: "\(host):\(port): cannot be listened at: \(error)") }
  }

  // MARK: Routes

  private func addPage(to router: Router<Context>) {
    for asset in Asset.all {
      router.get(RouterPath(asset.path)) { _, _ in asset.response }
    }
  }

  private func addQuestions(to router: Router<Context>) {
    let explorer = explorer
    router.get("/api/overview") { _, _ in try Answer.json(explorer.overview()) }
    router.get("/api/memory") { _, _ in
      let kept = explorer.kept
      return try Answer.json(["runs": kept.runs, "bytes": kept.bytes])
    }
    router.get("/api/models/:name/labels") { _, context in
      try Answer.json(explorer.labels(ofModel: context.parameters.require("name").removingPercentEncoding ?? ""))
    }
    router.post("/api/images") { request, _ in
      let name = request.uri.queryParameters["name"].map(String.init) ?? "image"
      let data = try await Self.body(of: request, atMost: explorer.imageLimit)
      return try Answer.json(explorer.upload(data, name: name), status: .created)
    }
    ask(router, "predict") { try Answer.json(explorer.predict($0)) }
    ask(router, "plan") { try Answer.json(explorer.plan($0)) }
    ask(router, "layer") { try Answer.json(explorer.layer($0)) }
    ask(router, "units") { try Answer.json(explorer.units($0)) }
    ask(router, "ablate") { try Answer.json(explorer.ablate($0)) }
    ask(router, "references") { try Answer.json(explorer.references($0)) }
    ask(router, "picture") { Answer.bytes(try explorer.picture(of: $0).pngData(), type: "image/png") }
    ask(router, "explain") { question, accepts in
      switch accepts {
      case "application/x-npy":
        Answer.bytes(try explorer.explainAsNumPy(question), type: accepts, name: "relevance.npy")
      case "image/png": Answer.bytes(try explorer.explainAsPNG(question, alone: false), type: accepts)
      case "image/png; alone": Answer.bytes(try explorer.explainAsPNG(question, alone: true), type: "image/png")
      default: try Answer.json(explorer.explain(question))
      }
    }
    let tool = tool
    ask(router, "page") { question in
      guard let tool else {
        throw ServiceError(
          .missing, "the program relevance is not installed; expected it beside relevance-explorer or on the PATH")
      }
      return Answer.bytes(
        try explorer.page(question, tool: tool), type: "text/html; charset=utf-8", name: "explanation.html")
    }
    // Pictures of pages, whose addresses are all that they can send.
    router.get("/api/thumbnail") { request, _ in
      let id = try Self.parameter("image", request)
      let question = Question(client: "thumbnails")
      let png = try await explorer.answer(question) { _ in try explorer.thumbnail(id, side: 128) }
      return Self.kept(Answer.bytes(png, type: "image/png"))
    }
    router.get("/api/crop") { request, _ in
      var question = Question(client: "thumbnails")
      question.image = try Self.parameter("image", request)
      question.model = request.uri.queryParameters["model"].map(String.init)
      question.node = request.uri.queryParameters["node"].map(String.init)
      question.fit = request.uri.queryParameters["fit"].flatMap { Question.Fit(rawValue: String($0)) } ?? .crop
      let position = (request.uri.queryParameters["position"] ?? "").split(separator: ",").compactMap { Int($0) }
      let png = try await explorer.answer(question) { try explorer.crop($0, position: position) }
      return Self.kept(Answer.bytes(png, type: "image/png"))
    }
  }

  private func addWork(to router: Router<Context>) {
    let explorer = explorer
    router.post("/api/batch") { request, _ in
      let question = try await Self.question(of: request, atMost: explorer.questionLimit)
      return Self.lines { line in try await explorer.batch(question, line: line) }
    }
    router.post("/api/index") { request, _ in
      let question = try await Self.question(of: request, atMost: explorer.questionLimit)
      return Self.lines { line in try await explorer.makeIndex(question, line: line) }
    }
  }

  private func ask(
    _ router: Router<Context>, _ name: String, _ body: @escaping @Sendable (Question) throws -> Response
  ) {
    ask(router, name) { question, _ in try body(question) }
  }

  /// A question that is answered in one piece. Whoever hangs up before its turn is left out.
  private func ask(
    _ router: Router<Context>, _ name: String, _ body: @escaping @Sendable (Question, String) throws -> Response
  ) {
    let explorer = explorer
    router.post(RouterPath("/api/\(name)")) { request, _ in
      let accepts = request.headers[.accept] ?? "application/json"
      let question = try await Self.question(of: request, atMost: explorer.questionLimit)
      return try await explorer.answer(question) { try body($0, accepts) }
    }
  }

  // MARK: Requests

  private static func parameter(_ name: String, _ request: Request) throws -> String {
    guard let value = request.uri.queryParameters[Substring(name)] else {
      throw ServiceError(.malformed, "the request has no \(name)")
    }
    return String(value)
  }

  /// A question: JSON, or an image with the other fields in the address.
  private static func question(of request: Request, atMost limit: Int) async throws -> Question {
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

  /// All of a request's body, if it is no larger than a limit and comes soon enough.
  private static func body(of request: Request, atMost limit: Int) async throws -> Data {
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
        try await Task.sleep(for: .seconds(2 * patience))
        return nil
      }
      defer { group.cancelAll() }
      guard let data = try await group.next() ?? nil else {
        throw HTTPError(.requestTimeout)
      }
      return data
    }
  }

  private static func kept(_ response: Response) -> Response {
    var response = response
    response.headers[.cacheControl] = "private, max-age=3600"
    return response
  }

  /// Lines of JSON, each sent when it is there; whoever hangs up ends the work.
  private static func lines(
    _ work: @escaping @Sendable (@escaping @Sendable (WorkLine) async throws -> Void) async throws -> Void
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/x-ndjson"],
      body: ResponseBody { writer in
        let (lines, line) = AsyncStream<WorkLine>.makeStream(bufferingPolicy: .bufferingNewest(64))
        let task = Task {
          defer { line.finish() }
          do { try await work { line.yield($0) } } catch is CancellationError {} catch {
            line.yield(WorkLine(done: 0, total: 0, error: ServiceError(error)))
          }
        }
        defer { task.cancel() }
        for await next in lines { try await writer.write(ByteBuffer(bytes: try Answer.encoded(next))) }
        try await writer.finish(nil)
      })
  }
}
