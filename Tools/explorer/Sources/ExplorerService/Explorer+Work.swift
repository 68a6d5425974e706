import Foundation
import RelevanceKit

/// A line of the progress of a long task.
public struct WorkLine: Encodable, Sendable {
  public var done: Int
  public var total: Int
  /// In a batch: the latest explanation.
  public var found: BatchRow?
  /// An image that was skipped, and the reason.
  public var skipped: String?
  /// In the last line of an index: the layers that have an index.
  public var nodes: [String]?
  /// The reason why the task ended early.
  public var error: ServiceError?

  public init(
    done: Int, total: Int, found: BatchRow? = nil, skipped: String? = nil, nodes: [String]? = nil,
    error: ServiceError? = nil
  ) {
    (self.done, self.total, self.found) = (done, total, found)
    (self.skipped, self.nodes, self.error) = (skipped, nodes, error)
  }
}

/// The prediction for an image of a batch, and its heatmap.
public struct BatchRow: Encodable, Sendable {
  let image: String
  let target: String
  let title: String
  let score: Float
  let probability: Double?
  /// The heatmap over the image, a PNG file in base64.
  let overlay: String
}

extension Explorer {
  /// Explains every image in succession. Between two images, other clients have their turn. Ends when its task is
  /// canceled.
  ///
  /// - Parameter line: receives a line for every image.
  public func batch(_ question: Question, line: @Sendable (WorkLine) async throws -> Void) async throws {
    let files = images.files()
    for (index, file) in files.enumerated() {
      var question = question
      (question.image, question.data, question.edits, question.ledger) = (file, nil, nil, false)
      let step = WorkLine(done: index + 1, total: files.count)
      do {
        let row = try await answer(question) { question in
          try with(question) { run, entry in
            let explanation = try explanation(question, run, entry)
            let heatmap = try Heatmap(Self.map(of: explanation, entry), colors: explanation.method.heatmapColors)
            let target = explanation.target
            let probability = target.classIndex.flatMap { index in
              run.trace.layout.hasPositions
                ? nil : run.trace.predictions().first { $0.classIndex == index }?.probability
            }
            return BatchRow(
              image: file, target: target.description, title: target.title(entry.model.labels),
              score: explanation.score,
              probability: probability, overlay: try heatmap.overlay(on: run.image).pngData().base64EncodedString())
          }
        }
        var step = step
        step.found = row
        try await line(step)
      } catch let error as ServiceError {
        var step = step
        step.skipped = "\(file): \(error.message)"
        try await line(step)
      }
    }
    if files.isEmpty { throw ServiceError(.unanswerable, "there are no images; start the explorer with --images DIR") }
  }

  /// Makes a concept index of all images: for each channel of some layers, the images with the most relevance for the
  /// predicted class. It pauses while requests are processed, and indexes are made one at a time. Ends when its task is
  /// canceled.
  public func makeIndex(_ question: Question, line: @escaping @Sendable (WorkLine) async throws -> Void) async throws {
    let entry = try models.entry(question.model)
    let files = images.files()
    guard !files.isEmpty else {
      throw ServiceError(.unanswerable, "there are no images; start the explorer with --images DIR")
    }
    guard !question.nodes.isEmpty else { throw ServiceError(.malformed, "the request has no nodes") }
    let labeled = try files.map { file in
      LabeledImage(name: String(file.dropFirst(5)), path: try images.source(file).path ?? "", classes: [])
    }
    let (updates, update) = AsyncStream<WorkLine>.makeStream()
    let folder = try Scratch.folder()
    // Not on Swift's cooperative threads: blocking them would stop other responses.
    let work = Task.detached(executorPreference: indexing) { [self] in
      defer { update.finish() }
      defer { try? FileManager.default.removeItem(at: folder) }
      var indexing = ConceptIndexing(layers: question.nodes)
      (indexing.top, indexing.target) = (question.top ?? 8, .predicted)
      let preprocessing = models.preprocessing(entry, question.fit)
      let table = try models.table(for: question, entry)
      let explainer = try Explainer(
        entry.model.network, rules: table, preprocessing: preprocessing, threads: options.threads,
        memoryBudget: Models.workingMemory)
      let prepared = try indexing.prepared(
        Subject(explainer, methods: [try question.explainedBy()]), on: DataSet(name: "images", images: labeled))
      let index = try prepared.run(state: folder.appendingPathComponent("index.state").path) { progress in
        update.yield(
          WorkLine(
            done: progress.done, total: progress.total,
            skipped: progress.failure.map { "\($0.name): \($0.error)" }))
        turns.letOthersGoFirst(atMost: 1)
      }
      indexes.add(index)
    }
    try await withTaskCancellationHandler {
      for await step in updates { try await line(step) }
      do { try await work.value } catch is CancellationError { throw CancellationError() } catch {
        throw ServiceError(error)
      }
    } onCancel: {
      work.cancel()
    }
    try await line(WorkLine(done: files.count, total: files.count, nodes: indexes.nodes(of: entry)))
  }
}

extension Turns {
  /// Waits while requests are processed, for a limited time.
  func letOthersGoFirst(atMost seconds: Double) {
    let end = ContinuousClock.now + .seconds(seconds)
    while isBusy, ContinuousClock.now < end, !Task.isCancelled { usleep(2000) }
  }
}
