import ExplorerService
import Foundation
import Hummingbird

/// The routes of the service.
extension Server {
  func addPage(to router: Router<Context>) {
    for asset in Asset.all {
      router.get(RouterPath(asset.path)) { _, _ in asset.response }
    }
  }

  func addQuestions(to router: Router<Context>) {
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
      let data = try await Incoming.body(of: request, atMost: explorer.imageLimit)
      // Decoding a large image takes long, so it waits for its turn like other computations.
      let image = try await explorer.answer(Question(client: "uploads")) { _ in try explorer.upload(data, name: name) }
      return try Answer.json(image, status: .created)
    }
    ask(router, "predict") { try Answer.json(explorer.predict($0)) }
    ask(router, "plan") { try Answer.json(explorer.plan($0)) }
    ask(router, "layer") { try Answer.json(explorer.layer($0)) }
    ask(router, "units") { try Answer.json(explorer.units($0)) }
    ask(router, "ablate") { try Answer.json(explorer.ablate($0)) }
    ask(router, "references") { try Answer.json(explorer.references($0)) }
    ask(router, "image") { Answer.bytes(try explorer.inputImage(of: $0).pngData(), type: "image/png") }
    ask(router, "explain") { question, kind in
      switch kind {
      case .numbers:
        Answer.bytes(try explorer.explainAsNumPy(question), type: kind.rawValue, name: "relevance.npy")
      case .image: Answer.bytes(try explorer.explainAsPNG(question), type: kind.rawValue)
      case .json: try Answer.json(explorer.explain(question))
      }
    }
    let tool = tool
    ask(router, "page") { question in
      guard let tool else {
        throw ServiceError(
          .missing, "the program relevance is not installed; install it beside relevance-explorer or on the PATH")
      }
      return Answer.bytes(
        try explorer.page(question, tool: tool), type: "text/html; charset=utf-8", name: "explanation.html")
    }
    // Images in HTML pages: their requests have only a URL.
    router.get("/api/thumbnail") { request, _ in
      let id = try Incoming.parameter("image", request)
      let question = Question(client: "thumbnails")
      let png = try await explorer.answer(question) { _ in try explorer.thumbnail(id, side: 128) }
      return Answer.kept(Answer.bytes(png, type: "image/png"))
    }
    router.get("/api/crop") { request, _ in
      var question = Question(client: "thumbnails")
      question.image = try Incoming.parameter("image", request)
      question.model = request.uri.queryParameters["model"].map(String.init)
      question.node = request.uri.queryParameters["node"].map(String.init)
      if let fit = request.uri.queryParameters["fit"] { try question.set("fit", to: String(fit)) }
      let position = (request.uri.queryParameters["position"] ?? "").split(separator: ",").compactMap { Int($0) }
      let png = try await explorer.answer(question) { try explorer.crop($0, position: position) }
      return Answer.kept(Answer.bytes(png, type: "image/png"))
    }
  }

  func addWork(to router: Router<Context>) {
    let explorer = explorer
    router.post("/api/batch") { request, _ in
      let question = try await Incoming.question(of: request, atMost: explorer.questionLimit)
      return Answer.lines { line in try await explorer.batch(question, line: line) }
    }
    router.post("/api/index") { request, _ in
      let question = try await Incoming.question(of: request, atMost: explorer.questionLimit)
      return Answer.lines { line in try await explorer.makeIndex(question, line: line) }
    }
  }

  private func ask(
    _ router: Router<Context>, _ name: String, _ body: @escaping @Sendable (Question) throws -> Response
  ) {
    ask(router, name) { question, _ in try body(question) }
  }

  /// Adds a route for a request that is answered in one piece. It is canceled if the client closes the connection.
  private func ask(
    _ router: Router<Context>, _ name: String, _ answer: @escaping @Sendable (Question, Answer.Kind) throws -> Response
  ) {
    let explorer = explorer
    router.post(RouterPath("/api/\(name)")) { request, context in
      let kind = Answer.Kind(accepted: request.headers[.accept])
      let question = try await Incoming.question(of: request, atMost: explorer.questionLimit)
      return try await HangUps.cancelable(on: context.channel) {
        try await explorer.answer(question) { try answer($0, kind) }
      }
    }
  }
}
