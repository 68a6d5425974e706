import Foundation
import Imaging
import Networks
import ONNXFormat
import Support
import Tensors

/// A network as it lies on disk: the graph, how pictures are prepared for it, and what its classes are called.
///
/// Beside `model.onnx` there may be the two files that Hugging Face image models carry: `preprocessor_config.json` and
/// `config.json` (`id2label`). Without them, ImageNet's usual preprocessing is assumed and classes have numbers only.
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
  /// The names of the classes, where they are known.
  public let labels: Labels?
  /// What is doubtful about the files beside the network, a sentence each: nothing is an error that changes no number of the
  /// network's, but wrong preprocessing changes all of them.
  public private(set) var notes: [String]

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - location: a `.onnx` file, or a folder that holds `model.onnx`.
  ///   - output: what is explained: one of the file's outputs, or any node, by name; nil means the first output, unless
  ///     another is more like logits, as `NeuralNetwork.init(contentsOf:output:)` says.
  ///   - inputs: the values of inputs by name, for a network with several: all that the output depends on but one, the image.
  /// - Throws: `RelevanceKitError`.
  public init(contentsOf location: some FileLocation, output: String? = nil, inputs: [String: Tensor] = [:]) throws {
    try self.init(contentsOf: location, output: output, inputs: GivenInputs(inputs))
  }

  package init(contentsOf location: some FileLocation, output: String?, inputs: GivenInputs) throws {
    let source = try ONNXFile(contentsOf: location.fileSystemPath, output: output, inputs: inputs)
    (file, files) = (source.files[0], source.files)
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
    func companion(_ name: String) -> String? {
      let file = folder.appendingPathComponent(name).path
      return FileManager.default.fileExists(atPath: file) ? file : nil
    }
    var network = try source.network()
    try network.requireDependenceOnInput(file: file)
    preprocessingFile = companion("preprocessor_config.json")
    let read = try preprocessingFile.map(Preprocessing.read)
    preprocessing = read?.preprocessing ?? .imageNet
    let labelsFile = companion("config.json")
    let configuration = try labelsFile.map(Labels.read)
    labels = configuration?.labels
    // Names tell how many classes there are, and so along which axis they lie; `problem_type` is Hugging Face's.
    let last = labels?.names.keys.max()
    network = network.expecting(classes: last.map { $0 + 1 }, decision: configuration?.decision)
    self.network = network
    notes = source.notes + (read?.doubts.map { [$0] } ?? [])
    let inferred = (try? network.analysis(forInput: exampleInputShape))?.inferred
    if let file = labelsFile, let classes = inferred.map({ network.scoreLayout($0).classes }) {
      if labels == nil { notes.append("\(file) has no id2label; classes have numbers only") }
      if let last, last >= classes {
        notes.append("\(file) names class \(last), and the network has classes 0 to \(classes - 1)")
      }
    }
  }
}

extension Model {
  /// What the file calls the output that is explained: the name of one of its outputs, or of the node that was asked for.
  public var outputName: String { network.graph.outputName }

  /// The names of all outputs of the file, in its order.
  public var outputNames: [String] { network.graph.outputNames }

  /// A shape that the network takes: what its declaration leaves open follows from the preprocessing's size.
  public var exampleInputShape: TensorShape {
    let side = preprocessing.crop.map { min($0.width, $0.height) } ?? 224
    return network.exampleInputShape(side: side)
  }
}

/// The names of a network's classes.
public struct Labels: Sendable {
  /// The name of each class; a class without one is missing.
  public let names: [Int: String]

  /// Makes labels.
  public init(names: [Int: String]) { self.names = names }

  /// Reads `id2label` from a `config.json`; nil if the file has none.
  ///
  /// - Throws: `RelevanceKitError` if the file is not JSON or `id2label` does not map class numbers to names.
  public init?(contentsOf file: some FileLocation) throws {
    guard let labels = try Self.read(file.fileSystemPath).labels else { return nil }
    self = labels
  }

  /// Reads a `config.json`: its `id2label`, and what scores decide by its `problem_type`, as Hugging Face's models have them.
  static func read(_ path: String) throws -> (labels: Labels?, decision: Decision?) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw SimpleError("\(path): no such file, or it may not be read", .missingInput)
    }
    func invalid(_ found: String) -> SimpleError {
      SimpleError("\(path): \(found); expected id2label to map class numbers to names")
    }
    guard let content = try? JSONSerialization.jsonObject(with: data) else { throw SimpleError("\(path): not JSON") }
    let json = content as? [String: Any]
    let decision: Decision? =
      switch json?["problem_type"] as? String {
      case "regression": .quantity
      case "multi_label_classification": .eachClass
      case "single_label_classification": .oneClass
      default: nil
      }
    guard let table = json?["id2label"] else { return (nil, decision) }
    guard let entries = table as? [String: String] else { throw invalid("id2label is not an object of strings") }
    let names = try entries.map { key, name in
      guard let index = Int(key), index >= 0 else { throw invalid("id2label has the key \"\(key)\"") }
      return (index, name)
    }
    return (Labels(names: Dictionary(names, uniquingKeysWith: { first, _ in first })), decision)
  }

  /// The name of a class, or nil.
  public subscript(index: Int) -> String? { names[index] }

  /// The classes that a name means: those that have it as their whole name or as one of several separated by commas,
  /// without regard to case.
  package func classes(named name: String) -> [Int] {
    let wanted = name.lowercased()
    let exact = names.filter { $0.value.lowercased() == wanted }
    let matches =
      exact.isEmpty
      ? names.filter { $0.value.lowercased().split(separator: ",").contains { $0.trimmingPrefix(" ") == wanted } }
      : exact
    return matches.keys.sorted()
  }

  /// What somebody may have meant by a name that no class has: the names that contain it, in the classes' order; if there
  /// are none, the one that is most like it.
  package func suggestions(for name: String, limit: Int = 5) -> [String] {
    let wanted = name.lowercased()
    let sorted = names.sorted { $0.key < $1.key }.map(\.value)
    let containing = sorted.filter { $0.lowercased().contains(wanted) }
    guard containing.isEmpty else { return Array(containing.prefix(limit)) }
    let parts = sorted.flatMap { $0.split(separator: ",").map { String($0.trimmingPrefix(" ")) } }
    return Suggestion.nearest(to: name, among: parts).map { [$0] } ?? []
  }
}
