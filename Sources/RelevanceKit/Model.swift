import Foundation
import RelevanceImaging
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import RelevanceTensors

/// A model on disk: the network, the preprocessing of images, and the names of the classes.
///
/// Beside `model.onnx`, there can be the two files of Hugging Face image models, `preprocessor_config.json` and
/// `config.json` (`id2label`), or timm's `config.json`, which contains both. If the model is in a folder `onnx`, the
/// files can also be in its parent folder. Without them, the preprocessing is inferred from the network's input, or
/// otherwise ImageNet's usual preprocessing is used, and classes only have numbers.
public struct Model: Sendable {
  /// The file that the network was read from.
  public let file: String
  /// The file of the network, and the files beside it that contain its tensors.
  package let files: [String]
  /// The network.
  public let network: NeuralNetwork
  /// The conversion of an image to the network's input. Assign another value to change the resizing or the crop.
  public var preprocessing: Preprocessing
  /// The file that specifies the preprocessing; nil if it is assumed.
  public let preprocessingFile: String?
  /// A description of the assumed preprocessing, as part of a sentence.
  package let assumption: String
  /// The file with the names of the classes; nil if there is none.
  package let labelsFile: String?
  /// The names of the classes, if they are known.
  public let labels: Labels?
  /// Doubts about the files beside the network, one sentence each. They do not affect the network, but a wrong
  /// preprocessing changes all of its results.
  public private(set) var notes: [String]

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - location: an `.onnx` file, or a folder that contains `model.onnx` or `onnx/model.onnx`.
  ///   - output: the output to explain: the name of one of the file's outputs, or of any node. Nil for the first
  ///     output, unless another output is more similar to logits; see `NeuralNetwork.init(contentsOf:output:)`.
  ///   - inputs: values of inputs by name, for a network with several inputs: all inputs that the output depends on,
  ///     except the image.
  ///   - furtherOutputs: the names of other outputs of the file to keep, so that their units can be targets.
  ///   - mapped: whether weights are mapped from the files and loaded by the system on first use. If another process
  ///     can truncate the files while the model is in use, which would terminate this process with a bus error, pass
  ///     false to read them into memory.
  /// - Throws: `RelevanceKitError` if the files are missing, damaged or not supported, or if a name is unknown.
  public init(
    contentsOf location: some FileLocation, output: String? = nil, inputs: [String: Tensor] = [:],
    furtherOutputs: [String] = [], mapped: Bool = true
  ) throws {
    try self.init(
      contentsOf: location, output: output, inputs: GivenInputs(inputs), further: FurtherOutputs(names: furtherOutputs),
      mapped: mapped)
  }

  package init(
    contentsOf location: some FileLocation, output: String?, inputs: GivenInputs,
    further: FurtherOutputs = FurtherOutputs(), mapped: Bool = true
  ) throws {
    let source = try ONNXFile(
      contentsOf: location.fileSystemPath, output: output, inputs: inputs, further: further, mapped: mapped)
    (file, files) = (source.files[0], source.files)
    let companions = Companions(of: file)
    var network = try source.network()
    try network.requireDependenceOnInput(file: file)
    var notes: [String] = []
    if network.fixedBatch > 1 {
      let open = network.openingBatch()
      notes.append(
        "\(file) has a fixed batch of \(network.fixedBatch) images; "
          + (open == nil
            ? "each image is repeated to fill it, and its map is the sum over the copies" : "images are run one by one")
      )
      network = open ?? network
    }
    let settingsFile = companions.file("preprocessor_config.json")
    let configurationFile = companions.file("config.json")
    let read = try settingsFile.map(Preprocessing.read)
    var timm: Preprocessing?
    if read == nil, let configurationFile {
      do { timm = try Preprocessing.timm(configurationFile) } catch let error as any RelevanceKitError {
        notes.append("\(error.description); the preprocessing of this file is ignored")
      }
    }
    let (assumed, words) = AssumedPreprocessing.of(network, metadata: source.metadata)
    assumption = words
    preprocessingFile = settingsFile ?? (timm == nil ? nil : configurationFile)
    preprocessing = read?.preprocessing ?? timm ?? assumed
    let configuration = try configurationFile.map(Labels.read)
    let inside = Labels(metadata: source.metadata)
    labels = configuration?.labels ?? inside
    labelsFile = labels == nil ? nil : configuration?.labels == nil ? file : configurationFile
    if let channels = network.imageExtents.channels, let note = preprocessing.take(channels) {
      notes.append("\(preprocessingFile ?? file) \(note)")
    }
    // The names determine the number of classes, and so their axis; `problem_type` is Hugging Face's.
    let last = labels?.names.keys.max()
    network = network.expecting(classes: last.map { min($0, Int(Int32.max)) + 1 }, decision: configuration?.decision)
      .expecting(background: labels?.background)
    self.network = network
    self.notes = source.notes + notes + (read?.doubts.map { [$0] } ?? [])
    let inferred = (try? network.analysis(forInput: exampleInputShape))?.inferred
    if let file = configurationFile, let classes = inferred.map({ network.scoreLayout($0).classes }) {
      if labels == nil { self.notes.append("\(file) has no id2label; classes have numbers only") }
      if let last, last >= classes {
        self.notes.append("\(file) names class \(last), but the network has classes 0 to \(classes - 1)")
      }
    }
  }
}

extension Model {
  /// The name of the explained output: the name of one of the file's outputs, or of the requested node.
  public var outputName: String { network.graph.outputName }

  /// The names of all outputs of the file, in order.
  public var outputNames: [String] { network.graph.outputNames }

  /// A shape that the network accepts. Open extents follow from the size of the preprocessing.
  public var exampleInputShape: TensorShape {
    let size: (height: Int, width: Int) =
      switch (preprocessing.crop, preprocessing.resize) {
      case (let crop?, _): (crop.height, crop.width)
      case (nil, .exact(let width, let height)?): (height, width)
      default: (224, 224)
      }
    return network.exampleInputShape(channels: preprocessing.colors.rawValue, height: size.height, width: size.width)
  }
}

/// The files beside a model.
private struct Companions {
  private let folders: [URL]

  /// The files in the model's folder and, if its name contains `onnx`, in its parent folder, as in repositories of
  /// Hugging Face.
  init(of file: String) {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    folders =
      [folder] + (folder.lastPathComponent.lowercased().contains("onnx") ? [folder.deletingLastPathComponent()] : [])
  }

  /// The first file with a name; nil if there is none.
  func file(_ name: String) -> String? {
    let path = folders.map { $0.appendingPathComponent(name).path }.first { FileSystem.exists($0) }
    return path.map { LinkText.target(of: $0) ?? $0 }
  }
}

extension Preprocessing {
  /// The preprocessing in timm's `config.json`.
  fileprivate static func timm(_ path: String) throws -> Preprocessing? {
    guard let data = try? ReadableFile.data(path) else { return nil }
    return try Preprocessing(timm: data, name: path)
  }

  /// Adapts the preprocessing to the network's number of channels. Returns a note if this requires a choice.
  fileprivate mutating func take(_ channels: Int) -> String? {
    guard let wanted = Colors(rawValue: channels), wanted != colors else { return nil }
    let (means, deviations) = (Set(mean), Set(standardDeviation))
    let isSame = means.count == 1 && deviations.count == 1
    func average(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
    let note =
      isSame
      ? nil
      : "has \(mean.count) means and deviations, but the network has \(channels) channels; their averages are used"
    (mean, standardDeviation) = (
      [Double](repeating: average(mean), count: channels),
      [Double](repeating: average(standardDeviation), count: channels)
    )
    return note
  }
}
