import ArgumentParser
import Foundation
import RelevanceKit
import Synchronization
import RelevanceToolSupport

/// The pictures and how they are fitted to the network.
struct InputOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      """
      Pictures (.jpg, .png), preprocessed tensors (.npy: float32, [C,H,W] or [N,C,H,W], of which each item is an input), folders of \
      such files, whose subfolders are not searched, or - for standard input.
      """, valueName: "input"), completion: .file(extensions: InputFile.extensions))
  var paths: [String]

  @OptionGroup var fitting: FitOptions

  /// The inputs, those of folders by name.
  ///
  /// - Parameters:
  ///   - model: what they are for: of a `.npy` file with a batch each item is an input of its own.
  ///   - areWritten: whether each has a folder for its results.
  /// - Throws: `InputError` for a folder without inputs, and for two inputs whose results would have the same folder.
  func files(for model: Model, areWritten: Bool = true) throws -> [InputFile] {
    let files = try paths.flatMap { try InputFile.all(at: $0) }.flatMap { try $0.items(for: model) }
    guard areWritten else { return files }
    var stems: [String: InputFile] = [:]
    for file in files {
      if let other = stems.updateValue(file, forKey: file.stem) { throw InputError.sameStem(other.name, file.name) }
    }
    return files
  }
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
  func load(_ file: InputFile, for model: Model) throws -> Input {
    let input = try Console.detail("read and prepared \(file.name)") { try read(file, for: model) }
    Console.detail("\(file.name) is \(input.tensor.shape) for the network")
    return input
  }

  private func read(_ file: InputFile, for model: Model) throws -> Input {
    switch try file.content() {
    case .tensor(let tensor):
      let shape = tensor.shape.rank == 3 ? TensorShape([1] + tensor.shape.dimensions) : tensor.shape
      guard shape.rank == 4, shape[0] == 1 || shape[0] == model.network.fixedBatch else {
        throw InputError.shape(file.name, found: tensor.shape)
      }
      let input = model.network.repeated(tensor.reshaped(to: shape))
      return Input(file: file, tensor: input, picture: nil, model: model)
    case .picture(let image):
      let preprocessing = preprocessing(of: model)
      if let channels = model.network.imageExtents.channels, channels != preprocessing.colors.rawValue {
        throw InputError.doesNotFit(
          file.name,
          reason: "the network takes \(channels) channels; expected a tensor (.npy), or a network of 1, 3 or 4")
      }
      let picture = try preprocessing.visible(image)
      let input = model.network.arranged(try preprocessing.normalized(picture))
      return Input(file: file, tensor: input, picture: picture, model: model)
    }
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

/// Where an input comes from: a file, or standard input.
struct InputFile: Hashable {
  /// The path as it was given; `-` is standard input.
  let path: String
  /// Which item of a batch it is; nil for a file that is one input.
  var item: Int?

  /// What inputs' names end with, without the dot.
  static let extensions = ["jpg", "jpeg", "png", "npy"]

  /// A path as it is, or all inputs of a folder, by name; hidden ones are left out.
  static func all(at path: String) throws -> [InputFile] {
    guard path != "-", FileSystem.isFolder(path) == true else { return [InputFile(path: path)] }
    guard let found = try? FileSystem.names(in: path) else { throw InputError.unreadableFolder(path) }
    let inputs = found.filter {
      !$0.hasPrefix(".") && extensions.contains(URL(fileURLWithPath: $0).pathExtension.lowercased())
    }
    guard !inputs.isEmpty else { throw InputError.emptyFolder(path) }
    let others = Set(found.map { URL(fileURLWithPath: $0).pathExtension.lowercased() })
      .intersection(["webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "jp2"])
    if !others.isEmpty {
      Console.note(
        "\(path): \(others.sorted().map { "." + $0 }.joined(separator: ", ")) files are left out; expected .jpg, .png or .npy"
      )
    }
    return inputs.sorted().map { InputFile(path: path.hasSuffix("/") ? path + $0 : "\(path)/\($0)") }
  }

  /// What messages call it.
  var name: String {
    path == "-" ? "standard input" : FileSystem.printable(path) + (item.map { "[\($0)]" } ?? "")
  }

  /// The name of the folder for its results: the file's name without folder and extension.
  var stem: String {
    guard path != "-" else { return "stdin" }
    return URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent + (item.map { "-\($0)" } ?? "")
  }

  /// Whether its name is a tensor's.
  var isTensorByName: Bool { path.lowercased().hasSuffix(".npy") }

  /// What it holds; errors name it.
  func content() throws -> InputContent {
    if let data = try stream() {
      return data.starts(with: Self.tensorStart)
        ? .tensor(try NumPyFile.decode(data, name: name)) : .picture(Self.noting(try RGBImage.read(data, name: name)))
    }
    guard FileSystem.exists(path) else {
      throw InputError.missing(path, suggestion: similarFile(to: path))
    }
    return isTensorByName ? .tensor(try tensor()) : .picture(Self.noting(try RGBImage.read(path)))
  }

  /// The picture, with a note of what is doubtful about it.
  private static func noting(_ reading: RGBImage.Reading) -> RGBImage {
    if let doubt = reading.doubt { Console.note(doubt) }
    return reading.upright
  }

  /// The tensor of the file, or of a batch the item.
  private func tensor() throws -> Tensor {
    guard let item else { return try NumPyFile.read(path) }
    let batch = try Self.batch.withLock { known in
      if let known, known.path == path { return known.tensor }
      let tensor = try NumPyFile.read(path)
      known = (path, tensor)
      return tensor
    }
    guard batch.shape.rank == 4, item < batch.shape[0] else { throw InputError.shape(path, found: batch.shape) }
    return batch.item(item)
  }

  /// The batch that was read last: its items come one after the other.
  private static let batch = Mutex<(path: String, tensor: Tensor)?>(nil)

  /// The items of a batch of inputs, each an input of its own; of all other files themselves.
  func items(for model: Model) throws -> [InputFile] {
    guard path != "-", isTensorByName, item == nil, let shape = try? NumPyFile.shape(of: path), shape.rank == 4,
      shape[0] > 1, shape[0] != model.network.fixedBatch,
      (try? model.network.graph.shapes(forInput: shape.withBatch(1))) != nil
    else { return [self] }
    return (0..<shape[0]).map { InputFile(path: path, item: $0) }
  }

  /// The checksum of its bytes, as `sha256sum` prints it.
  func checksum() throws -> String {
    try stream().map { "\(SHA256.digest(of: $0).hexadecimal)  \(path)" } ?? Provenance.checksum(of: path)
  }

  private static let tensorStart = Data([0x93] + Array("NUMPY".utf8))

  /// All of standard input, or of what else this process was given open, such as `/dev/stdin` and `/dev/fd/63`, which is read once; nil for
  /// all other files.
  private func stream() throws -> Data? {
    guard path == "-" || ReadableFile.isStream(path) else { return nil }
    return try Self.read.withLock { known in
      if let data = known[path] { return data }
      do {
        // As a file it would be opened anew, at its start.
        let input = path == "-" ? try ReadableFile(open: STDIN_FILENO) : try ReadableFile(path)
        var data = try input.read(upTo: 8)
        // What is no input need not be read to its end, which it may not have.
        let starts = [Self.tensorStart, Data([0xFF, 0xD8, 0xFF]), Data([0x89] + Array("PNG".utf8))]
        if starts.contains(where: data.starts(with:)) { data += try input.readToEnd() }
        known[path] = data
        return data
      } catch FileProblem.missing { throw InputError.missing(path, suggestion: nil) } catch let problem as FileProblem {
        throw InputError.unreadable(name, reason: problem.reason)
      }
    }
  }

  private static let read = Mutex<[String: Data]>([:])
}

/// What an input holds.
enum InputContent {
  case picture(RGBImage)
  case tensor(Tensor)
}

/// One prepared input.
struct Input {
  let file: InputFile
  /// What the network takes, 1 × C × H × W.
  let tensor: Tensor
  /// What of the picture the network sees; nil for a tensor.
  let picture: RGBImage?
  /// What it was prepared for.
  let model: Model

  /// Runs the network on the input; errors name the input's file, or the model's if they belong to the model.
  func run<Result>(_ body: (Tensor) throws -> Result) throws -> Result {
    try namingModel(model, for: self) {
      try Console.detail("ran the network on \(file.name)") { try body(tensor) }
    }
  }
}

/// Says what is doubtful about the files beside a model, and what is assumed of pictures if they do not tell how these are prepared.
func noteAssumedPreprocessing(of model: Model, for files: [InputFile]) {
  model.notes.forEach { Console.note($0) }
  Set(files.flatMap { assumptions(of: model, for: $0) }).forEach { Console.note($0) }
}

/// What is assumed of an input, a sentence each.
///
/// - Parameter plan: the plan that its maps follow from, if they do.
func assumptions(of model: Model, for file: InputFile, under plan: RulePlan? = nil) -> [String] {
  guard model.preprocessingFile == nil else { return [] }
  if file.isTensorByName {
    let range = model.preprocessing.pixelRange
    guard let plan, plan.dependsOnPixelRange, plan.table.pixelRange == range else { return [] }
    let usual = Preprocessing.imageNet.pixelRange == range
    let (low, high) = (range.lower.min() ?? 0, range.upper.max() ?? 0)
    return [
      "no preprocessor_config.json beside the model; "
        + (usual ? "ImageNet's usual range" : "the range \(low)…\(high)") + " is assumed for rule zB"
    ]
  }
  return ["no preprocessor_config.json beside the model; using \(model.assumption)"]
}

/// Calls `body` for every input; one that fails is reported and the rest goes on.
///
/// - Throws: `ExitCode` with the first failure's status once all have been tried.
func forEachInput(_ files: [InputFile], _ body: (InputFile) throws -> Void) throws {
  let progress = files.count > 1 ? ProgressLine("inputs", total: files.count) : nil
  var status: Int32 = 0
  for (index, file) in files.enumerated() {
    do { try body(file) } catch let error as any RelevanceKitError {
      let failure = Failure(error, of: Relevance.self)
      failure.report()
      if status == 0 { status = failure.status }
      // What is wrong with the command is wrong with every input.
      if error.category == .usage { break }
    }
    try Console.flush()
    progress?.update(done: index + 1)
  }
  progress?.end()
  if status != 0 { throw ExitCode(status) }
}
