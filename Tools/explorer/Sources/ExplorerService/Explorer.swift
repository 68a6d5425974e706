import Foundation
import RelevanceKit
import Synchronization

/// Answers requests about images: predictions, and their explanations.
///
/// Runs of the network are cached in limited memory, so that the next request about the same image needs only a
/// backward pass. One request is processed at a time, on all cores; requests of different clients take turns (`Turns`).
public final class Explorer: Sendable {
  /// The models and images to serve, and limits.
  public struct Options: Sendable {
    /// `.onnx` files, folders with `model.onnx`, or names of fetched models.
    public var models: [String] = []
    /// Image files and folders of images.
    public var images: [String] = []
    /// Folders with concept indexes, as `relevance concepts index` writes them.
    public var indexes: [String] = []
    /// The page's initial choice for fitting images.
    public var fit = Question.Fit.crop
    /// The number of threads of a run; nil means one per processor.
    public var threads: Int?
    /// The memory for cached runs, in bytes.
    public var memory = 1 << 30
    /// The largest size of an image file, in bytes.
    public var bytesLimit = 32 << 20
    /// The largest number of pixels of an image.
    public var pixelLimit = 50_000_000

    public init() {}
  }

  /// A recorded run and its input image.
  struct Run: Sendable {
    let trace: Trace
    let image: RGBImage
    var size: Int { trace.memoryUse + image.pixels.count }
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
  /// The thread that makes indexes.
  let indexing = ComputingThread()
  private let runs: Mutex<RecentlyUsed<RunKey, Run>>
  let fields = Mutex(RecentlyUsed<FieldsKey, ReceptiveFields>(limit: 16))

  /// - Throws: `RelevanceKitError` for a model or an index that cannot be read; `ServiceError` for image paths that do
  ///   not exist.
  public init(_ options: Options) throws {
    self.options = options
    models = try Models(options.models, threads: options.threads)
    images = try Images(options.images, bytesLimit: options.bytesLimit, pixelLimit: options.pixelLimit)
    indexes = try Indexes(options.indexes)
    runs = Mutex(RecentlyUsed(limit: options.memory))
  }

  /// The largest size of an image file, in bytes.
  public var imageLimit: Int { options.bytesLimit }
  /// The largest size of a request, in bytes. A request may contain an image in base64.
  public var questionLimit: Int { options.bytesLimit / 3 * 4 + (2 << 20) }

  /// The number of cached runs, and their size in bytes.
  public var kept: (runs: Int, bytes: Int) { runs.withLock { ($0.count, $0.size) } }

  /// Processes a request when it is its client's turn.
  ///
  /// - Throws: `ServiceError`; `CancellationError` if the task is canceled before its turn.
  public func answer<Answer: Sendable>(
    _ question: Question, _ body: @Sendable (Question) throws -> Answer
  ) async throws -> Answer {
    do { return try await turns.run(for: question.client) { try body(question) } } catch is CancellationError {
      throw CancellationError()
    } catch { throw ServiceError(error) }
  }

  /// Stores an uploaded image.
  public func upload(_ data: Data, name: String) throws -> ImageAnswer {
    let (id, image) = try images.upload(data, name: String(name.prefix(200)))
    return ImageAnswer(id: id, name: name, width: image.width, height: image.height)
  }

  /// The identifier of a request's image.
  func imageID(of question: Question) throws -> String {
    if let data = question.data { return try images.upload(data, name: "image").id }
    return try question.required(\.image, "image")
  }

  /// The network's input for a request: its image after fitting and edits.
  public func inputImage(of question: Question) throws -> RGBImage {
    let entry = try models.entry(question.model)
    let preprocessing = models.preprocessing(entry, question.fit)
    let image = try preprocessing.visible(images.image(try imageID(of: question)))
    guard let edits = question.edits else { return image }
    return try edits.applied(to: image, zero: Self.zero(of: preprocessing))
  }

  /// The color whose normalized value is nearest to 0.
  private static func zero(of preprocessing: Preprocessing) -> RGBColor {
    let scale = preprocessing.rescaleFactor
    let mean = preprocessing.mean.map { UInt8(min(255, max(0, (scale > 0 ? $0 / scale : 0).rounded()))) }
    let order = mean.count < 3 ? [0, 0, 0] : preprocessing.flipsChannelOrder ? [2, 1, 0] : [0, 1, 2]
    return RGBColor(red: mean[order[0]], green: mean[order[1]], blue: mean[order[2]])
  }

  /// The run for a request: a cached one, or a new one.
  func run(_ question: Question) throws -> Run {
    let entry = try models.entry(question.model)
    let id = try imageID(of: question)
    let key = key(of: question, id, entry)
    if let found = runs.withLock({ $0.value(for: key) }) { return found }
    let explainer = try models.explainer(for: question)
    var asked = question
    (asked.image, asked.data) = (id, nil)
    let image = try inputImage(of: asked)
    let run = Run(trace: try explainer.trace(image), image: image)
    keep(run, for: key)
    return run
  }

  /// Calls a function with the run for a request. Afterward it updates the run's size, because the function may cache
  /// values in the trace.
  func with<Result>(_ question: Question, _ body: (Run, Models.Entry) throws -> Result) throws -> Result {
    let entry = try models.entry(question.model)
    let run = try run(question)
    let result = try body(run, entry)
    let key = try key(of: question, imageID(of: question), entry)
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

/// An uploaded image.
public struct ImageAnswer: Encodable, Sendable {
  public let id: String
  let name: String
  let width: Int
  let height: Int
}
