import Foundation
import RelevanceKit

/// What a caller asks for, as it comes over a wire.
struct Request: Codable, Sendable {
  /// A camera frame: blue, green, red and alpha of each pixel, rows at some distance.
  var width: Int
  var height: Int
  var bytesPerRow: Int
  var pixels: Data
  /// `class:8`, `top:1`, `unit:conv4_2/3`.
  var target: Target
  /// `lrp`, `clrp1:strength=1.5`.
  var method: String
  /// The rule of one node, other than the table's: `conv1=epsilon:epsilon=0.1`; empty for none.
  var rule = ""
  /// A node whose relevance is wanted besides; empty for none.
  var node = ""
  /// Seconds.
  var timeout = 10.0
}

/// What it is answered.
struct Answer: Codable, Sendable {
  var explanation: Explanation
  var predictions: [Prediction]
  /// Activation and relevance at the node that was asked for.
  var atNode: [Tensor]
}

/// A thread for each request that is worked on: those of Swift's own pool, as many as processors and shared with Dispatch, are kept free for
/// timers and callers.
final class WorkExecutor: TaskExecutor {
  func enqueue(_ job: consuming ExecutorJob) {
    let (job, executor) = (UnownedJob(job), asUnownedTaskExecutor())
    Thread.detachNewThread { job.runSynchronously(on: executor) }
  }
}

/// Explains frames for many callers at once: as many at a time as fit into a limit of memory, each within its time.
actor ExplanationService {
  private let explainer: Explainer
  private let executor = WorkExecutor()
  private var free: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  /// - Parameter memory: bytes that the values and relevance of all requests at a time may take.
  init(_ model: Model, memory: Int) throws {
    explainer = try Explainer(model, threads: 1, memoryBudget: memory / 4)
    let shapes = try model.network.graph.shapes(forInput: model.exampleInputShape)
    // A run keeps all values, and its walks some of the relevance beside them.
    let perRequest = 3 * 4 * shapes.reduce(0) { $0 + $1.count }
    free = min(max(1, memory / max(perRequest, 1)), 2 * ProcessInfo.processInfo.activeProcessorCount)
  }

  /// - Throws: `RelevanceKitError` for what cannot be explained, `CancellationError` if the caller's task is cancelled or time is up.
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
