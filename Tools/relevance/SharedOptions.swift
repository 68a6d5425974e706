import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The model and how it runs: options of all commands.
struct ModelOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The network: a .onnx file, a folder with model.onnx, or the name of a fetched model.", valueName: "model"),
    completion: .file(extensions: ["onnx"]))
  var path: String

  @Option(
    help: ArgumentHelp(
      "The output or node to explain. (default: the first output, or a later one that resembles logits more)",
      valueName: "name"), completion: .nodes)
  var outputNode: String?

  @OptionGroup var inputs: InputValueOptions

  @Option(help: ArgumentHelp("The number of threads. (default: one per processor)", valueName: "n"))
  var threads: Int?

  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected a number from 1 to 1024")
    }
  }

  /// Reads the model. If it has several outputs and none is selected, a note names the one that is explained.
  ///
  /// - Parameters:
  ///   - zeros: whether inputs without a value are filled with zeros.
  ///   - targets: the targets to explain, which may need further outputs: units of other outputs, or boxes.
  /// - Throws: `RelevanceKitError` if the model cannot be read.
  func load(othersAreZeros zeros: Bool = false, for targets: [TargetArgument] = []) throws -> Model {
    let location = location
    guard FileSystem.exists(location) else { throw ModelError(path: path) }
    let inputs = try GivenInputs(self.inputs.values(), othersAreZeros: zeros)
    let model = try Console.detail("opened \(location)") {
      try Model(
        contentsOf: location, output: outputNode, inputs: inputs, further: TargetArgument.outputs(of: targets))
    }
    if outputNode == nil, model.outputNames.count > 1 {
      let (explained, kept) = (model.network.graph.explainedOutputs, model.network.graph.keptOutputs.map(\.name))
      let others = model.outputNames.filter { !explained.contains($0) && !kept.contains($0) }
      let rest = others.isEmpty ? "" : ", not \(Self.list(others))"
      Console.note(
        "\(path) has \(model.outputNames.count) outputs; "
          + (explained.count > 1
            ? "\(Self.list(explained)) are joined and used\(rest)" : "\(model.outputName) is used\(rest)")
          + "; --output-node NAME chooses another")
    }
    Console.detail("\(model.network.graph.nodes.count) nodes; BLAS \(BLAS.configuration)")
    return model
  }

  /// The first names, separated by commas, and the number of the others.
  private static func list(_ names: [String]) -> String {
    let shown = 8
    let rest = names.count > shown ? " and \(names.count - shown) more" : ""
    return names.prefix(shown).joined(separator: ", ") + rest
  }

  /// The file or folder to read: the given path, or the folder of a fetched model with this name.
  var location: String {
    if FileSystem.exists(path) || path.contains("/") { return path }
    let fetched = FetchedModels.folder + "/" + path
    return FileSystem.exists(fetched) ? fetched : path
  }
}

/// A model that does not exist.
struct ModelError: RelevanceKitError {
  let path: String

  var category: ErrorCategory { .missingInput }
  var description: String {
    guard !path.contains("/"), !path.hasSuffix(".onnx") else {
      return "\(path): there is no such file" + (similarFile(to: path).map { "; did you mean \($0)?" } ?? "")
    }
    return "\(path): there is no such file and no fetched model with this name" + FetchedModels.suggestion(for: path)
  }
}

/// The file in the same folder whose name is most similar to that of a missing file.
func similarFile(to path: String) -> String? {
  let url = URL(fileURLWithPath: path)
  let files = (try? FileSystem.names(in: url.deletingLastPathComponent().path)) ?? []
  let name = url.lastPathComponent
  return Suggestion.nearest(to: name, among: files.sorted()).map { path.dropLast(name.count) + $0 }
}

/// The rule table and its settings.
struct RuleOptions: ParsableArguments {
  @Option(
    name: .customLong("rules"),
    help: ArgumentHelp(
      """
      The rule table: \(RuleTable.presetNames.joined(separator: ", ")), or a YAML file. (default: ViT for \
      networks with attention, otherwise default; if it does not fit the network, the first table that does)
      """, valueName: "table"),
    completion: .list(RuleTable.presetNames))
  var name: String?

  @Option(
    name: .customLong("channel-range"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      """
      The range of input values for rule zB, once for all channels or once for each. (default: the range after \
      preprocessing)
      """, valueName: "low,high"),
    transform: ChannelRange.init(parsing:))
  var channelRanges: [ChannelRange] = []

  @Flag(
    name: .customLong("fold-batch-norm"),
    help: "Fold each batch normalization into the layer before it. Rules that depend on biases need this.")
  var foldsBatchNormalization = false

  func table(for model: Model) throws -> RuleTable {
    let range = try pixelRange(for: model)
    guard let name else { return .recommended(for: try network(of: model), pixelRange: range) }
    return try RuleTable.preset(name, pixelRange: range) ?? RuleTable(contentsOf: name, pixelRange: range)
  }

  /// The plan of the selected table. Without a selection, the plan of the default table or, if it does not fit the
  /// network, of the first table that does, with a note.
  func plan(for model: Model) throws -> RulePlan {
    let network = try network(of: model)
    let plan = try table(for: model).draft(for: network)
    guard name == nil, let objection = plan.objection else { return plan }
    let range = try pixelRange(for: model)
    for table in Self.others.lazy.compactMap({ RuleTable.preset($0, pixelRange: range) }) {
      let other = try table.draft(for: network)
      if other.objection == nil {
        Console.note("\(objection); using the rule table \(table.name)")
        return other
      }
    }
    return plan
  }

  /// The explainer of a model by the plan.
  func explainer(for model: Model, threads: Int?) throws -> Explainer {
    let explainer = try Explainer(network(of: model), rules: table(for: model), threads: threads)
    guard name == nil, explainer.plan.objection != nil else { return explainer }
    return try Explainer(explainer.network, rules: plan(for: model).table, threads: threads)
  }

  /// Tables to try, in this order, if the default table does not fit the network.
  private static let others = ["EpsilonPlus", "EpsilonAlpha2Beta1", "ExcitationBackprop", "ViT"]

  private func pixelRange(for model: Model) throws -> PixelRange {
    let own = model.preprocessing.pixelRange
    guard !channelRanges.isEmpty else { return own }
    let channels = model.network.imageExtents.channels ?? own.lower.count
    guard channelRanges.count == 1 || channelRanges.count == channels else {
      throw ValidationError(
        "--channel-range is given \(channelRanges.count) times; expected once, or once for each of \(channels) channels"
      )
    }
    let ranges = channelRanges.count == 1 ? [ChannelRange](repeating: channelRanges[0], count: channels) : channelRanges
    return PixelRange(lower: ranges.map(\.low), upper: ranges.map(\.high))
  }

  /// The network that the rules apply to, with batch normalizations folded if requested.
  func network(of model: Model) throws -> NeuralNetwork {
    foldsBatchNormalization ? try model.network.foldingBatchNormalization() : model.network
  }
}

/// Reads the list of file kinds in `--save`, separated by commas.
///
/// - Throws: `ValidationError` for an empty list or an unknown kind.
func savedKinds<Kind: RawRepresentable<String> & CaseIterable & Hashable>(in list: String) throws -> Set<Kind> {
  let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
  guard !list.isEmpty else { throw ValidationError("--save is empty; expected \(known) or several of them") }
  return try Set(
    list.split(separator: ",").map {
      guard let kind = Kind(rawValue: String($0)) else { throw ValidationError("--save: \($0) is not one of \(known)") }
      return kind
    })
}

/// The interval of a channel's values, `LOW,HIGH`.
struct ChannelRange {
  let low: Float
  let high: Float

  init(parsing text: String) throws {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    guard numbers.count == 2, let low = numbers[0], let high = numbers[1], low.isFinite, high.isFinite, low <= high
    else {
      throw ValidationError("--channel-range \(text): expected LOW,HIGH, two numbers with LOW ≤ HIGH")
    }
    (self.low, self.high) = (low, high)
  }
}
