import ArgumentParser
import Foundation
import RelevanceKit
import Synchronization
import RelevanceToolSupport

/// The inputs and how images are fitted to the network.
struct InputOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      """
      Images (.jpg, .png), preprocessed tensors (.npy, float32, [C,H,W], or [N,C,H,W] for N inputs), folders of such \
      files without subfolders, or - for standard input.
      """, valueName: "input"), completion: .file(extensions: InputFile.extensions))
  var paths: [String]

  @OptionGroup var fitting: FitOptions

  /// The inputs; files of a folder are sorted by name, and each item of a batch in a `.npy` file is a separate input.
  ///
  /// - Parameters:
  ///   - model: the model that takes the inputs.
  ///   - areWritten: whether each input has a folder for its results.
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

/// How images are fitted to the network.
struct FitOptions: ParsableArguments {
  /// How an image of another shape is fitted to the network.
  enum Fit: String, CaseIterable, ExpressibleByArgument {
    case crop
    case whole
    case native
  }

  @Option(
    help:
      """
      Resize and crop images as the model's preprocessing specifies (crop), resize without cropping (whole), or do \
      neither (native).
      """
  )
  var fit = Fit.crop

  /// Reads an input and prepares it for the network.
  func load(_ file: InputFile, for model: Model) throws -> Input {
    let input = try Console.detail("read and prepared \(file.name)") { try read(file, for: model) }
    Console.detail("\(file.name): input shape \(input.tensor.shape)")
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
      return Input(file: file, tensor: input, image: nil, model: model)
    case .image(let image):
      let preprocessing = preprocessing(of: model)
      if let channels = model.network.imageExtents.channels, channels != preprocessing.colors.rawValue {
        throw InputError.doesNotFit(
          file.name,
          reason:
            "the network takes \(channels) channels; expected a tensor (.npy), because images have 1, 3 or 4 channels")
      }
      let visible = try preprocessing.visible(image)
      let extents = model.network.imageExtents
      if fit != .crop,
        (extents.height ?? visible.height, extents.width ?? visible.width) != (visible.height, visible.width)
      {
        throw InputError.doesNotFit(
          file.name,
          reason:
            "found \(visible.height)×\(visible.width) pixels (height × width) with --fit \(fit.rawValue); the network expects "
            + "\(extents.height.map(String.init) ?? "any")×\(extents.width.map(String.init) ?? "any"); omit --fit, or export the "
            + "model with a dynamic height and width")
      }
      let input = model.network.arranged(try preprocessing.normalized(visible))
      return Input(file: file, tensor: input, image: visible, model: model)
    }
  }

  /// The preprocessing of images.
  func preprocessing(of model: Model) -> Preprocessing {
    switch fit {
    case .crop: model.preprocessing
    case .whole: model.preprocessing.withoutCrop()
    case .native: model.preprocessing.native
    }
  }
}

/// The source of an input: a file or standard input.
struct InputFile: Hashable {
  /// The path on the command line; `-` is standard input.
  let path: String
  /// The index of the item in a batch; nil for a file with a single input.
  var item: Int?

  /// The file extensions of inputs, without the dot.
  static let extensions = ["jpg", "jpeg", "png", "npy"]

  /// The file at a path or, for a folder, its files that are inputs, sorted by name and without hidden ones.
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
      let list = others.sorted().map { "." + $0 }.joined(separator: ", ")
      Console.note("\(path): \(list) files are left out; expected .jpg, .png or .npy")
    }
    return inputs.sorted().map { InputFile(path: path.hasSuffix("/") ? path + $0 : "\(path)/\($0)") }
  }

  /// The name in messages.
  var name: String {
    path == "-" ? "standard input" : FileSystem.printable(path) + (item.map { "[\($0)]" } ?? "")
  }

  /// The name of the folder for its results: the file's name without folder and extension.
  var stem: String {
    guard path != "-" else { return "stdin" }
    return URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent + (item.map { "-\($0)" } ?? "")
  }

  /// Whether the file extension is that of a tensor.
  var isTensorByName: Bool { path.lowercased().hasSuffix(".npy") }

  /// Reads the input.
  ///
  /// - Throws: `RelevanceKitError` that names the input.
  func content() throws -> InputContent {
    if let data = try stream() {
      return data.starts(with: Self.tensorStart)
        ? .tensor(try NumPyFile.decode(data, name: name)) : .image(Self.noting(try RGBImage.read(data, name: name)))
    }
    guard FileSystem.exists(path) else {
      throw InputError.missing(path, suggestion: similarFile(to: path))
    }
    return isTensorByName ? .tensor(try tensor()) : .image(Self.noting(try RGBImage.read(path)))
  }

  /// The upright image. Notes doubts about the file.
  private static func noting(_ reading: RGBImage.Reading) -> RGBImage {
    if let doubt = reading.doubt { Console.note(doubt) }
    return reading.upright
  }

  /// The tensor in the file, or the item of a batch.
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

  /// The batch that was read last. Its items are requested one after another.
  private static let batch = Mutex<(path: String, tensor: Tensor)?>(nil)

  /// The items of a batch as separate inputs; any other file as a single input.
  func items(for model: Model) throws -> [InputFile] {
    guard path != "-", isTensorByName, item == nil, let shape = try? NumPyFile.shape(of: path), shape.rank == 4,
      shape[0] > 1, shape[0] != model.network.fixedBatch,
      (try? model.network.graph.shapes(forInput: shape.withBatch(1))) != nil
    else { return [self] }
    return (0..<shape[0]).map { InputFile(path: path, item: $0) }
  }

  /// The checksum of the input's bytes, in the format of `sha256sum`.
  func checksum() throws -> String {
    try stream().map { "\(SHA256.digest(of: $0).hexadecimal)  \(path)" } ?? Provenance.checksum(of: path)
  }

  private static let tensorStart = Data([0x93] + Array("NUMPY".utf8))

  /// All bytes of a stream, which is read once: standard input or a file that is already open, such as `/dev/stdin` or
  /// `/dev/fd/63`; nil for all other files.
  private func stream() throws -> Data? {
    guard path == "-" || ReadableFile.isStream(path) else { return nil }
    return try Self.read.withLock { known in
      if let data = known[path] { return data }
      do {
        // Opening it by path would start at its beginning again.
        let input = path == "-" ? try ReadableFile(open: STDIN_FILENO) : try ReadableFile(path)
        var data = try input.read(upTo: 8)
        // A stream that is no input is not read to its end: it may have none.
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

/// The content of an input.
enum InputContent {
  case image(RGBImage)
  case tensor(Tensor)
}

/// An input that is prepared for the network.
struct Input {
  let file: InputFile
  /// The input of the network, 1 × C × H × W.
  let tensor: Tensor
  /// The resized and cropped image; nil for a tensor.
  let image: RGBImage?
  /// The model that it is prepared for.
  let model: Model

  /// Runs the network on the input.
  ///
  /// - Throws: `RelevanceKitError` that names the file of the input, or that of the model if the model is at fault.
  func run<Result>(_ body: (Tensor) throws -> Result) throws -> Result {
    try namingModel(model, for: self) {
      try Console.detail("ran the network on \(file.name)") { try body(tensor) }
    }
  }
}

/// Notes doubts about the files beside a model, and the assumed preprocessing if no file specifies it.
func noteAssumedPreprocessing(of model: Model, for files: [InputFile]) {
  model.notes.forEach { Console.note($0) }
  Set(files.flatMap { assumptions(of: model, for: $0) }).forEach { Console.note($0) }
}

/// The assumptions about an input, a sentence each.
///
/// - Parameter plan: the plan of its maps; nil for maps without a plan.
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

/// Calls `body` for every input. An input that fails is reported, and the others continue.
///
/// - Throws: `ExitCode` with the status of the first failure, after all inputs have been tried.
func forEachInput(_ files: [InputFile], _ body: (InputFile) throws -> Void) throws {
  let progress = files.count > 1 ? ProgressLine("inputs", total: files.count) : nil
  var status: Int32 = 0
  for (index, file) in files.enumerated() {
    do { try body(file) } catch let error as any RelevanceKitError {
      let failure = Failure(error, of: Relevance.self)
      failure.report()
      if status == 0 { status = failure.status }
      // An error in the command line affects every input.
      if error.category == .usage { break }
    }
    try Console.flush()
    progress?.update(done: index + 1)
  }
  progress?.end()
  if status != 0 { throw ExitCode(status) }
}
