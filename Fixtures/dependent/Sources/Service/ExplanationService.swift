import Foundation
import RelevanceKit

/// A request, which can be sent over a network.
struct Request: Codable, Sendable {
  /// A camera frame: blue, green, red and alpha of each pixel, with `bytesPerRow` bytes from row to row.
  var width: Int
  var height: Int
  var bytesPerRow: Int
  var pixels: Data
  /// The target, such as `class:8`, `top:1` or `unit:conv4_2/3`.
  var target: Target
  /// The method, such as `lrp` or `clrp1:strength=1.5`.
  var method: String
  /// A rule for one node that replaces the table's, such as `conv1=epsilon:epsilon=0.1`; empty for none.
  var rule = ""
  /// A node whose activation and relevance are also requested; empty for none.
  var node = ""
  /// The time limit in seconds.
  var timeout = 10.0
}

/// The answer to a request.
struct Answer: Codable, Sendable {
  var explanation: Explanation
  var predictions: [Prediction]
  /// The activation and the relevance at the requested node.
  var atNode: [Tensor]
}

/// Runs each request on its own thread. The threads of Swift's pool, one per processor and shared with Dispatch, remain
/// free for timers and callers.
final class WorkExecutor: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let (job, executor) = (UnownedJob(job), asUnownedTaskExecutor())
    Thread.detachNewThread { job.runSynchronously(on: executor) }
  }
}

/// Explains frames for many concurrent callers. Limits the memory of all requests together, and the time of each
/// request.
actor ExplanationService {
  private let explainer: Explainer
  private let executor = WorkExecutor()
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// - Parameter memory: the memory for the values and the relevance of all concurrent requests, in bytes.
  init(_ model: Model, memory: Int) throws {
    explainer = try Explainer(model, threads: 1, memoryBudget: memory / 4)
    let shapes = try model.network.graph.shapes(forInput: model.exampleInputShape)
    // A run keeps all values, and its backward passes keep some of the relevance.
    let perRequest = 3 * 4 * shapes.reduce(0) { $0 + $1.count }
    free = min(max(1, memory / max(perRequest, 1)), 2 * ProcessInfo.processInfo.activeProcessorCount)
  }

  /// - Throws: `RelevanceKitError` for an invalid request, `CancellationError` if the caller's task is canceled or the
  ///   time is over.
  func answer(_ request: Request) async throws -> Answer {
    await enter()
    defer { leave() }
    let (explainer, executor) = (explainer, executor)
    return try await withThrowingTaskGroup(of: Answer.self) { group in
      group.addTask(executorPreference: executor) { try Self.answer(request, by: explainer) }
      group.addTask {
        try await Task.sleep(for: .seconds(max(0, min(request.timeout, 3600))))
        throw CancellationError()
      }
      defer { group.cancelAll() }
      return try await group.next()!
    }
  }

  private func enter() async {
    if free > 0 { return free -= 1 }
    await withCheckedContinuation { waiting.append($0) }
  }

  private func leave() {
    if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
  }

  private static func answer(_ request: Request, by explainer: Explainer) throws -> Answer {
    let image = try RGBImage(
      width: request.width, height: request.height, format: .bgra, bytesPerRow: request.bytesPerRow,
      bytes: request.pixels)
    var trace = try explainer.trace(image)
    if let split = request.rule.firstIndex(of: "=") {
      let rule = try RuleCatalog.standard.rules(parsing: String(request.rule[request.rule.index(after: split)...]))[0]
      trace = try trace.using(rule, at: String(request.rule[..<split]))
    }
    let method = try MethodCatalog.standard.method(parsing: request.method)
    let explanation = try trace.explain(request.target, by: method)
    let atNode =
      request.node.isEmpty
      ? []
      : try [trace.activation(at: request.node), trace.relevance(of: request.target, at: request.node, by: method)]
    return Answer(explanation: explanation, predictions: trace.predictions(), atNode: atNode)
  }
}
