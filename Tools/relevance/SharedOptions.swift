import ArgumentParser
import Foundation
import RelevanceKit
import ToolSupport

/// The model and how it is run: common to all commands.
struct ModelOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The network: a .onnx file, a folder with model.onnx, or the name of a fetched model.", valueName: "model"))
  var path: String

  @Option(help: ArgumentHelp("Threads to use; by default one per processor.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected a number from 1 to 1024")
    }
  }

  func load() throws -> Model { try Model(contentsOf: location) }

  /// The file or folder that is read.
  var location: String { Self.locate(path) }

  /// A path as it is, or the folder of a model that Tools/models has fetched.
  private static func locate(_ path: String) -> String {
    let files = FileManager.default
    if files.fileExists(atPath: path) || path.contains("/") { return path }
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
    let fetched = (environment["RELEVANCEKIT_MODELS"] ?? cache + "/relevancekit") + "/" + path
    return files.fileExists(atPath: fetched) ? fetched : path
  }
}

/// Which rule applies where.
struct RuleOptions: ParsableArguments {
  @Option(
    name: .customLong("rules"),
    help: ArgumentHelp(
      "The rule table: a YAML file, or \(RuleTable.presetNames.joined(separator: ", ")).", valueName: "table"))
  var name = "default"

  @Flag(
    name: .customLong("fold-batch-norm"),
    help: "Let layers do what a batch normalisation right behind them does: rules that depend on biases need that.")
  var foldsBatchNormalization = false

  func table(for model: Model) throws -> RuleTable {
    let range = model.preprocessing.pixelRange
    return try RuleTable.preset(name, pixelRange: range) ?? RuleTable(contentsOf: name, pixelRange: range)
  }

  /// The model's network as the rules shall see it.
  func network(of model: Model) throws -> Network {
    foldsBatchNormalization ? try model.network.foldingBatchNormalization() : model.network
  }
}

/// The pictures and how they are fitted to the network.
struct InputOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Pictures (.jpg, .png), or preprocessed tensors (.npy: float32, [1,C,H,W] or [C,H,W]).", valueName: "input"))
  var paths: [String]

  @OptionGroup var fitting: FitOptions

  /// Reads an input and prepares it for the network.
  func load(_ path: String, for model: Model) throws -> Input { try fitting.load(path, for: model) }
}

/// How pictures are fitted to the network.
struct FitOptions: ParsableArguments {
  /// How a picture of another shape is given to the network.
  enum Fit: String, CaseIterable, ExpressibleByArgument {
    case crop
    case whole
    case native
  }

  @Option(
    help:
      "Fit pictures as the model's preprocessing says (crop), resized but not cropped (whole), or as they are (native)."
  )
  var fit = Fit.crop

  /// Reads an input and prepares it for the network.
  func load(_ path: String, for model: Model) throws -> Input {
    if path.lowercased().hasSuffix(".npy") {
      let tensor = try NumPyFile.read(path)
      let shape = tensor.shape.rank == 3 ? Shape([1] + tensor.shape.dimensions) : tensor.shape
      guard shape.rank == 4, shape[0] == 1 else { throw InputError.shape(path, found: tensor.shape) }
      return Input(path: path, tensor: tensor.reshaped(to: shape), picture: nil)
    }
    let preprocessing = preprocessing(of: model)
    let picture = try preprocessing.visible(Image(contentsOf: path))
    return Input(path: path, tensor: preprocessing.normalized(picture), picture: picture)
  }

  /// How pictures are prepared.
  func preprocessing(of model: Model) -> Preprocessing {
    switch fit {
    case .crop: model.preprocessing
    case .whole: model.preprocessing.withoutCrop()
    case .native: model.preprocessing.native
    }
  }
}

/// Says what is assumed of pictures whose model does not tell how they are prepared.
func noteAssumedPreprocessing(of model: Model, for paths: [String]) {
  Set(paths.flatMap { assumptions(of: model, for: $0) }).forEach { note($0) }
}

/// What is assumed of an input, a sentence each.
func assumptions(of model: Model, for path: String) -> [String] {
  guard model.preprocessingFile == nil, !path.lowercased().hasSuffix(".npy") else { return [] }
  return ["no preprocessor_config.json beside the model; using ImageNet's usual preprocessing"]
}

/// The kinds of files that `--save` lists, separated by commas.
func savedKinds<Kind: RawRepresentable<String> & CaseIterable & Hashable>(in list: String) throws -> Set<Kind> {
  let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
  guard !list.isEmpty else { throw ValidationError("--save is empty; expected \(known) or several of them") }
  return try Set(
    list.split(separator: ",").map {
      guard let kind = Kind(rawValue: String($0)) else { throw ValidationError("--save: \($0) is not one of \(known)") }
      return kind
    })
}

/// One prepared input.
struct Input {
  let path: String
  /// What the network takes, 1 × C × H × W.
  let tensor: Tensor
  /// What of the picture the network sees; nil for a tensor.
  let picture: Image?

  /// The file's name without folder and extension: the name of the folder for its results.
  static func stem(of path: String) -> String { URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent }

  /// Runs a network on the input; errors name the file.
  func run<Result>(_ body: (Tensor) throws -> Result) throws -> Result {
    do { return try body(tensor) } catch let error as GraphError {
      throw InputError.doesNotFit(path, reason: error.description)
    } catch let error as ExecutionError {
      throw InputError.doesNotFit(path, reason: error.description)
    }
  }
}

/// An input that the network cannot take.
enum InputError: RelevanceKitError {
  case shape(String, found: Shape)
  case doesNotFit(String, reason: String)
  case sameStem(String, String)

  var category: ErrorCategory {
    switch self {
    case .shape, .doesNotFit: .badData
    case .sameStem: .usage
    }
  }

  var description: String {
    switch self {
    case .shape(let file, let found): "\(file): expected a tensor of shape [1,C,H,W] or [C,H,W], found \(found)"
    case .doesNotFit(let file, let reason): "\(file): \(reason)"
    case .sameStem(let a, let b): "\(a) and \(b) would write to the same folder; give one of them another name"
    }
  }
}

/// Calls `body` for every path; one that fails is reported and the rest goes on.
///
/// - Throws: `ExitCode` with the first failure's status once all have been tried.
func forEachInput(_ paths: [String], _ body: (String) throws -> Void) throws {
  var stems: [String: String] = [:]
  for path in paths {
    if let other = stems.updateValue(path, forKey: Input.stem(of: path)) { throw InputError.sameStem(other, path) }
  }
  let showsProgress = paths.count > 1 && isatty(STDERR_FILENO) == 1
  var status: Int32 = 0
  for (index, path) in paths.enumerated() {
    if showsProgress { FileHandle.standardError.write(Data("\r\(index)/\(paths.count)\u{1B}[K".utf8)) }
    do { try body(path) } catch let error as any RelevanceKitError {
      let failure = Failure(error, of: Relevance.self)
      failure.report()
      if status == 0 { status = failure.status }
    }
  }
  if showsProgress { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) }
  if status != 0 { throw ExitCode(status) }
}
