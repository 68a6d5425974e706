import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Reports how a network is interpreted, the assumptions made, and how to confirm them.",
    discussion: """
      Lists the input, preprocessing, outputs, classes and rules of the network, and the source of each: the model, a \
      file beside it, or an assumption. With an image, also prints its predicted classes. --write saves the \
      assumptions to preprocessor_config.json and config.json beside the model, where you can correct them.

      Examples:
        relevance doctor squeezenet1.1
        relevance doctor model.onnx photo.jpg
        relevance doctor model.onnx --write
      """)

  @OptionGroup var model: ModelOptions

  @Argument(
    help: ArgumentHelp("An image, or a preprocessed tensor (.npy).", valueName: "image"),
    completion: .file(extensions: InputFile.extensions))
  var image: String?

  @Flag(
    help:
      "Write preprocessor_config.json and config.json beside the model. Existing files are not changed."
  )
  var write = false

  func run() throws {
    let model = try model.load(othersAreZeros: true)
    let diagnosis = try Diagnosis(of: model, output: self.model.outputNode)
    for line in diagnosis.lines { Console.result(line.printable) }
    if let image {
      let executor = Executor(model.network, threads: self.model.threads)
      let input = try FitOptions.parse([]).load(InputFile(path: image), for: model)
      let values = try input.run { try executor.logits($0) }
      let layout = try executor.scoreLayout(forInput: input.tensor.shape)
      let scores = PredictedScores(
        layout.scores(ofItem: values), objectness: layout.objectness(ofItem: values), layout: layout,
        labels: model.labels, top: 3)
      let (low, high) = (input.tensor.elements.min() ?? 0, input.tensor.elements.max() ?? 0)
      Console.result(
        Diagnosis.line(
          "image", "\(input.file.name): \(input.tensor.shape), values \(Diagnosis.short(low))…\(Diagnosis.short(high))")
      )
      for line in scores.lines { Console.result("  " + line.printable) }
    }
    model.notes.forEach { Console.note($0) }
    if write { try CompanionFiles(of: model).write() }
  }
}

/// The interpretation of a model, and the source of each fact.
private struct Diagnosis {
  let lines: [String]

  init(of model: Model, output: String?) throws {
    let network = model.network
    var lines: [String] = []
    let shape = model.exampleInputShape
    let settings = model.preprocessing
    let name = network.graph[network.input].name
    lines.append(Self.line("network", "\(model.file): \(network.graph.nodes.count) nodes"))
    let extents = network.imageExtents
    let isImage = network.inputShape.extents.count == 4
    let layout =
      isImage
      ? network.hasChannelsLast ? "batch × height × width × channels" : "batch × channels × height × width"
      : "not the shape of an image"
    lines.append(
      Self.line("input", "\(name), \(network.inputElements.title), \(network.inputShape): \(layout) (from the model)"))
    let source = model.preprocessingFile.map { "from \($0)" } ?? "assumed: \(model.assumption)"
    let colors = [
      "1": "gray", "3": settings.flipsChannelOrder ? "blue, green, red" : "red, green, blue",
      "4": "red, green, blue, opacity",
    ]
    let resize =
      switch settings.resize {
      case nil: "no resize"
      case .shortestEdge(let edge)?: "shorter side to \(edge) (\(settings.resampling))"
      case .longestEdge(let edge)?: "longer side to \(edge) (\(settings.resampling))"
      case .exact(let width, let height)?: "resized to \(height)×\(width) (\(settings.resampling))"
      }
    let crop =
      settings.crop.map { ", \($0.height)×\($0.width) from the center (rounding as in \(settings.cropRounding))" }
      ?? ", no crop"
    let takesImages = isImage && extents.channels.map { Preprocessing.Colors(rawValue: $0) != nil } ?? true
    if !takesImages {
      lines.append(
        Self.line("images", "none: an image has 1, 3 or 4 channels along one of four axes; give tensors (.npy)"))
    } else {
      lines.append(Self.line("images", "\(colors["\(settings.colors.rawValue)"] ?? ""); \(resize)\(crop) (\(source))"))
    }
    let factor = settings.rescaleFactor == 1 ? "0…255" : "0…\(Self.short(Float(255 * settings.rescaleFactor)))"
    let range = settings.pixelRange
    lines.append(
      Self.line(
        "pixels",
        "\(factor), minus \(Self.list(settings.mean)), divided by \(Self.list(settings.standardDeviation)): "
          + "\(Self.short(range.lower.min() ?? 0))…\(Self.short(range.upper.max() ?? 0)) "
          + "(\(model.preprocessingFile == nil ? "assumed" : source))"
      ))
    if let doubt = settings.orderDoubt { lines.append(Self.line("doubt", doubt)) }
    let choice =
      output != nil
      ? "selected"
      : model.outputNames.count == 1
        ? "the only output"
        : model.network.graph.explainedOutputs.count > 1
          ? "scores for grids of several sizes, joined"
          : model.outputNames[0] == model.outputName ? "the first" : "most like logits"
    let isBefore = network.logits != network.graph.output
    let explained = "explained\(isBefore ? ": the logits before it" : ""); \(choice)"
    let outputs = model.outputNames.map { network.graph.explainedOutputs.contains($0) ? "\($0) (\(explained))" : $0 }
    lines.append(
      Self.line(
        "outputs",
        outputs.joined(separator: ", ")
          + (network.graph.explainedOutputs.isEmpty ? "; node \(model.outputName) (\(explained))" : "")))
    let inferred = (try? network.analysis(forInput: shape))?.inferred
    let scores = inferred.map { network.scoreLayout($0) }
    lines.append(Self.line("scores", scores.map { "\($0)" } ?? "unknown: the network does not accept \(shape)"))
    let names = model.labels.map { labels in
      labels.names.sorted { $0.key < $1.key }.prefix(3).map(\.value).joined(separator: "; ")
        + (labels.names.count > 3 ? "; …" : "") + " (from \(model.labelsFile ?? "a file"))"
        + (scores.map {
          labels.names.count < $0.classes ? "; \(labels.names.count) names for \($0.classes) classes" : ""
        } ?? "")
    }
    lines.append(Self.line("classes", names ?? "no names found, shown as numbers"))
    let plan = try RuleOptions.parse([]).plan(for: model)
    lines.append(
      Self.line(
        "rules",
        plan.objection.map { "none of the tables: \($0)" } ?? "table \(plan.table.name) has a rule for every node"))
    var open: [String] = []
    if model.preprocessingFile == nil { open.append("preprocessor_config.json (how images are prepared)") }
    if model.labels == nil, scores?.decision != .quantity { open.append("config.json (id2label: the classes' names)") }
    if let height = extents.height, let width = extents.width, let size = settings.fixedSize, size != (height, width) {
      lines.append(
        Self.line(
          "doubt",
          "the network takes \(height)×\(width) pixels, but the preprocessing produces \(size.height)×\(size.width)"))
    }
    lines.append(
      Self.line(
        "to do",
        open.isEmpty
          ? "nothing"
          : "add these files beside the model, or create them with --write and edit them: "
            + open.joined(separator: "; ")))
    self.lines = lines
  }

  static func line(_ title: String, _ text: String) -> String {
    (title + ":").padding(toLength: 9, withPad: " ", startingAt: 0) + text
  }

  static func short(_ number: Float) -> String { String(format: "%.4g", number) }

  private static func list(_ numbers: [Double]) -> String {
    Set(numbers).count == 1 ? short(Float(numbers[0])) : numbers.map { short(Float($0)) }.joined(separator: ", ")
  }
}

extension ElementKind {
  fileprivate var title: String {
    switch self {
    case .real: "real numbers"
    case .truth: "truth values"
    case .integer(let type): "\(type.rawValue) integers"
    }
  }
}

extension Preprocessing {
  /// A doubt if the means look like ImageNet's in the order blue, green, red, because they are subtracted before the
  /// channel order is reversed; nil otherwise.
  fileprivate var orderDoubt: String? {
    let scale = 255 * rescaleFactor
    let turned = zip(mean, [0.406, 0.456, 0.485]).allSatisfy { abs($0 / scale - $1) < 0.01 }
    guard flipsChannelOrder, mean.count == 3, turned else { return nil }
    return
      "the means are subtracted from red, green and blue, before the channel order is reversed, but they look like "
      + "ImageNet's means of blue, green and red"
  }

  /// The size of every prepared image; nil if it depends on the image.
  fileprivate var fixedSize: (height: Int, width: Int)? {
    if let crop { return (crop.height, crop.width) }
    if case .exact(let width, let height)? = resize { return (height, width) }
    return nil
  }
}

/// The files beside a model that record the assumptions.
private struct CompanionFiles {
  let model: Model

  init(of model: Model) { self.model = model }

  /// Writes the missing files.
  ///
  /// - Throws: `RelevanceKitError` if a file exists with different content or cannot be written.
  func write() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let folder = URL(fileURLWithPath: model.file).deletingLastPathComponent()
    if let file = model.preprocessingFile {
      Console.result("\(file) specifies the preprocessing; it is not changed".printable)
    } else {
      try write(encoder.encode(model.preprocessing), to: folder.appendingPathComponent("preprocessor_config.json"))
    }
    if let file = model.labelsFile {
      Console.result("\(file) contains the class names; it is not changed".printable)
    } else {
      let configuration = try configuration()
      try write(encoder.encode(configuration), to: folder.appendingPathComponent("config.json"))
    }
  }

  private struct Configuration: Encodable {
    let id2label: [String: String]
    let problemType: String?

    private enum CodingKeys: String, CodingKey {
      case id2label
      case problemType = "problem_type"
    }
  }

  /// A placeholder name for each class, and the kind of decision.
  private func configuration() throws -> Configuration {
    let network = model.network
    let layout = network.scoreLayout(try network.analysis(forInput: model.exampleInputShape).inferred)
    let names = layout.decision == .quantity ? ["value"] : (0..<layout.classes).map { "class \($0)" }
    let kind: String? =
      switch layout.decision {
      case .oneClass: "single_label_classification"
      case .eachClass: "multi_label_classification"
      case .quantity: "regression"
      case .twoClasses: nil
      }
    return Configuration(
      id2label: Dictionary(uniqueKeysWithValues: names.enumerated().map { ("\($0)", $1) }), problemType: kind)
  }

  private func write(_ data: Data, to file: URL) throws {
    let data = data + Data("\n".utf8)
    if FileSystem.exists(file.path) {
      guard (try? ReadableFile.data(file.path)) == data else {
        throw SimpleError(
          "\(file.path): the file exists with different content; it is not changed", .cannotWrite)
      }
      Console.result("\(file.path) is up to date".printable)
      return
    }
    try writeFile(data, to: file)
    Console.result("wrote \(file.path)".printable)
  }
}
