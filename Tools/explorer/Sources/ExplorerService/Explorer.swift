import Foundation
import RelevanceKit
import Synchronization

/// Answers questions about images: what a network sees in them, and why.
///
/// Runs of the network are kept as long as there is room, so that the next question about the same picture needs only a walk back. One question
/// is computed at a time, on all cores; those of different clients take turns (`Turns`).
public final class Explorer: Sendable {
  /// What can be asked about, and how much memory that may take.
  public struct Options: Sendable {
    /// `.onnx` files, folders with `model.onnx`, or names of fetched models.
    public var models: [String] = []
    /// Folders and files with images.
    public var images: [String] = []
    /// Folders with indexes of concepts, as `relevance concepts index` writes them.
    public var indexes: [String] = []
    /// How the page fits images at first.
    public var fit = Question.Fit.crop
    /// How many threads a run uses; nil means one per processor.
    public var threads: Int?
    /// Bytes that kept runs may take.
    public var memory = 1 << 30
    /// The largest file of an image.
    public var bytesLimit = 32 << 20
    /// The most pixels of an image.
    public var pixelLimit = 50_000_000

    public init() {}
  }

  /// A recorded run, and the picture that the network saw.
  struct Run: Sendable {
    let trace: Trace
    let picture: RGBImage
    var size: Int { trace.memoryUse + picture.pixels.count }
  }

  struct RunKey: Hashable {
    let image: String
    let edits: Edits?
    let explainer: Models.ExplainerKey
  }

  let options: Options
  let models: Models
  let images: Images
  let indexes: Indexes
  public let turns = Turns()
  /// Where indexes are made.
  let indexing = ComputingThread()
  private let runs: Mutex<RecentlyUsed<RunKey, Run>>
  let fields = Mutex(RecentlyUsed<FieldsKey, ReceptiveFields>(limit: 16))

  /// - Throws: `RelevanceKitError` for a model or an index that cannot be read; `ServiceError` for images that are not there.
  public init(_ options: Options) throws {
    self.options = options
    models = try Models(options.models, threads: options.threads)
    images = try Images(options.images, bytesLimit: options.bytesLimit, pixelLimit: options.pixelLimit)
    indexes = try Indexes(options.indexes)
    runs = Mutex(RecentlyUsed(limit: options.memory))
  }

  /// The largest image, and the largest question, which may have one in base64, in bytes.
  public var imageLimit: Int { options.bytesLimit }
  public var questionLimit: Int { options.bytesLimit / 3 * 4 + (2 << 20) }

  /// What kept runs take, and how many there are.
  public var kept: (runs: Int, bytes: Int) { runs.withLock { ($0.count, $0.size) } }

  /// Computes when it is the turn of the question's client.
  ///
  /// - Throws: `ServiceError`; `CancellationError` if the task is cancelled before its turn.
  public func answer<Answer: Sendable>(
    _ question: Question, _ body: @Sendable (Question) throws -> Answer
  ) async throws -> Answer {
    do { return try await turns.run(for: question.client) { try body(question) } } catch is CancellationError {
      throw CancellationError()
    } catch { throw ServiceError(error) }
  }

  /// Takes an image.
  public func upload(_ data: Data, name: String) throws -> ImageAnswer {
    let (id, picture) = try images.upload(data, name: String(name.prefix(200)))
    return ImageAnswer(id: id, name: name, width: picture.width, height: picture.height)
  }

  /// The image of a question, by its identifier.
  func image(of question: Question) throws -> String {
    if let data = question.data { return try images.upload(data, name: "image").id }
    return try question.required(\.image, "image")
  }

  /// What the network sees of an image, with what is painted over it.
  public func picture(of question: Question) throws -> RGBImage {
    let entry = try models.entry(question.model)
    let preprocessing = models.preprocessing(entry, question.fit)
    let picture = try preprocessing.visible(images.picture(try image(of: question)))
    guard let edits = question.edits else { return picture }
    return try edits.applied(to: picture, zero: Self.zero(of: preprocessing))
  }

  /// The color that is nearest to 0 at the network's input.
  private static func zero(of preprocessing: Preprocessing) -> RGBColor {
    let scale = preprocessing.rescaleFactor
    let mean = preprocessing.mean.map { UInt8(min(255, max(0, (scale > 0 ? $0 / scale : 0).rounded()))) }
    let order = mean.count < 3 ? [0, 0, 0] : preprocessing.flipsChannelOrder ? [2, 1, 0] : [0, 1, 2]
    return RGBColor(red: mean[order[0]], green: mean[order[1]], blue: mean[order[2]])
  }

  /// The run for a question: one that is kept, or a new one.
  func run(_ question: Question) throws -> Run {
    let entry = try models.entry(question.model)
    let image = try image(of: question)
    let key = key(of: question, image, entry)
    if let found = runs.withLock({ $0.value(for: key) }) { return found }
    let explainer = try models.explainer(for: question)
    var asked = question
    (asked.image, asked.data) = (image, nil)
    let picture = try self.picture(of: asked)
    let run = Run(trace: try explainer.trace(picture), picture: picture)
    keep(run, for: key)
    return run
  }

  /// Does something with the run for a question; what it leaves in the trace for the next questions counts as its memory.
  func with<Result>(_ question: Question, _ body: (Run, Models.Entry) throws -> Result) throws -> Result {
    let entry = try models.entry(question.model)
    let run = try run(question)
    let result = try body(run, entry)
    let key = try key(of: question, image(of: question), entry)
    keep(run, for: key)
    return result
  }

  private func key(of question: Question, _ image: String, _ entry: Models.Entry) -> RunKey {
    RunKey(
      image: image, edits: question.edits.flatMap { $0.strokes.isEmpty ? nil : $0 },
      explainer: .init(
        model: entry.name, fit: question.fit, table: question.table ?? "", rules: question.rules ?? ""))
  }

  private func keep(_ run: Run, for key: RunKey) {
    runs.withLock { $0.keep(run, for: key, size: run.size) }
  }
}

/// An image that was taken.
public struct ImageAnswer: Encodable, Sendable {
  public let id: String
  let name: String
  let width: Int
  let height: Int
}
