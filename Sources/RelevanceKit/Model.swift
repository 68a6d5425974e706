import Foundation
import RelevanceImaging
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceSupport
import RelevanceTensors

/// A network as it lies on disk: the graph, how images are prepared for it, and what its classes are called.
///
/// Beside `model.onnx` there may be the two files that Hugging Face image models carry: `preprocessor_config.json` and
/// `config.json` (`id2label`); or timm's `config.json`, which has both. Of a folder `onnx` they may be one folder up.
/// Without them, what the network's input says is taken, or else ImageNet's usual preprocessing, and classes have
/// numbers only.
public struct Model: Sendable {
  /// The file that the network was read from.
  public let file: String
  /// The same, and the files beside it that hold its tensors.
  package let files: [String]
  /// The network.
  public let network: NeuralNetwork
  /// How an image becomes the network's input. Assign another one for another resize or crop.
  public var preprocessing: Preprocessing
  /// The file that says so, or nil if the preprocessing is assumed.
  public let preprocessingFile: String?
  /// What is assumed instead, for sentences, and why.
  package let assumption: String
  /// The file that names the classes, or nil.
  package let labelsFile: String?
  /// The names of the classes, where they are known.
  public let labels: Labels?
  /// What is doubtful about the files beside the network, a sentence each: nothing is an error that changes no number
  /// of the network's, but wrong preprocessing changes all of them.
  public private(set) var notes: [String]

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - location: a `.onnx` file, or a folder that holds `model.onnx` or `onnx/model.onnx`.
  ///   - output: what is explained: one of the file's outputs, or any node, by name; nil means the first output, unless
  ///     another is more like logits, as `NeuralNetwork.init(contentsOf:output:)` says.
  ///   - inputs: the values of inputs by name, for a network with several: all that the output depends on but one, the
  ///     image.
  ///   - furtherOutputs: other outputs of the file that are kept, by name, so that their units can be targets too.
  ///   - mapped: whether weights stay in the files, from which the system loads them when they are first used. If
  ///     another process may shorten the files as long as the model is in use, which would end this one with a bus
  ///     error, pass false: they are then read into memory.
  /// - Throws: `RelevanceKitError`.
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
        "\(file) takes \(network.fixedBatch) images at a time; "
          + (open == nil
            ? "each is given to it that often, and its map is the sum over them" : "they are given to it one by one"))
      network = open ?? network
    }
    let settingsFile = companions.file("preprocessor_config.json")
    let configurationFile = companions.file("config.json")
    let read = try settingsFile.map(Preprocessing.read)
    var timm: Preprocessing?
    if read == nil, let configurationFile {
      do { timm = try Preprocessing.timm(configurationFile) } catch let error as any RelevanceKitError {
        notes.append("what timm says of images is not done: \(error.description)")
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
    // Names tell how many classes there are, and so along which axis they lie; `problem_type` is Hugging Face's.
    let last = labels?.names.keys.max()
    network = network.expecting(classes: last.map { min($0, Int(Int32.max)) + 1 }, decision: configuration?.decision)
      .expecting(background: labels?.background)
    self.network = network
    self.notes = source.notes + notes + (read?.doubts.map { [$0] } ?? [])
    let inferred = (try? network.analysis(forInput: exampleInputShape))?.inferred
    if let file = configurationFile, let classes = inferred.map({ network.scoreLayout($0).classes }) {
      if labels == nil { self.notes.append("\(file) has no id2label; classes have numbers only") }
      if let last, last >= classes {
        self.notes.append("\(file) names class \(last), and the network has classes 0 to \(classes - 1)")
      }
    }
  }
}

extension Model {
  /// What the file calls the output that is explained: the name of one of its outputs, or of the node that was asked
  /// for.
  public var outputName: String { network.graph.outputName }

  /// The names of all outputs of the file, in its order.
  public var outputNames: [String] { network.graph.outputNames }

  /// A shape that the network takes: what its declaration leaves open follows from the preprocessing's size.
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

/// The files that lie beside a model.
private struct Companions {
  private let folders: [URL]

  /// Those of a model's folder and, if that is called `onnx`, of the one that it is in, as in Hugging Face's
  /// repositories.
  init(of file: String) {
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    folders =
      [folder] + (folder.lastPathComponent.lowercased().contains("onnx") ? [folder.deletingLastPathComponent()] : [])
  }

  /// The first file of a name; nil if there is none.
  func file(_ name: String) -> String? {
    let path = folders.map { $0.appendingPathComponent(name).path }.first { FileSystem.exists($0) }
    return path.map { LinkText.target(of: $0) ?? $0 }
  }
}

extension Preprocessing {
  /// What timm's `config.json` says.
  fileprivate static func timm(_ path: String) throws -> Preprocessing? {
    guard let data = try? ReadableFile.data(path) else { return nil }
    return try Preprocessing(timm: data, name: path)
  }

  /// Takes up that the network has other channels than the means are for; says so where that takes a choice.
  fileprivate mutating func take(_ channels: Int) -> String? {
    guard let wanted = Colors(rawValue: channels), wanted != colors else { return nil }
    let (means, deviations) = (Set(mean), Set(standardDeviation))
    let isSame = means.count == 1 && deviations.count == 1
    func average(_ numbers: [Double]) -> Double { numbers.reduce(0, +) / Double(numbers.count) }
    let note =
      isSame
      ? nil : "has \(mean.count) means and deviations, and the network \(channels) channels; their averages are used"
    (mean, standardDeviation) = (
      [Double](repeating: average(mean), count: channels),
      [Double](repeating: average(standardDeviation), count: channels)
    )
    return note
  }
}
