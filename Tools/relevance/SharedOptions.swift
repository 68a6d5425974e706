import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The model and how it is run: common to all commands.
struct ModelOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The network: a .onnx file, a folder with model.onnx, or the name of a fetched model.", valueName: "model"),
    completion: .file(extensions: ["onnx"]))
  var path: String

  @Option(
    help: ArgumentHelp(
      """
      What is explained: an output of the network, or any of its nodes, by name. (default: the first output, or one that is more \
      like logits)
      """, valueName: "name"), completion: .nodes)
  var outputNode: String?

  @OptionGroup var inputs: InputValueOptions

  @Option(help: ArgumentHelp("Threads to use; by default one per processor.", valueName: "n"))
  var threads: Int?

  @OptionGroup var verbosity: VerbosityOptions

  func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is \(threads); expected a number from 1 to 1024")
    }
  }

  /// Reads the model; where it has several outputs and none was asked for, a note says which one is explained.
  ///
  /// - Parameters:
  ///   - zeros: whether inputs that no value is given for are zeros.
  ///   - targets: what is to be explained, which may be units of other outputs, or boxes.
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

  /// Names, as many as a line holds.
  private static func list(_ names: [String]) -> String {
    let shown = 8
    let rest = names.count > shown ? " and \(names.count - shown) more" : ""
    return names.prefix(shown).joined(separator: ", ") + rest
  }

  /// The file or folder that is read: a path as it is, or the folder of a model that Tools/models has fetched.
  var location: String {
    if FileSystem.exists(path) || path.contains("/") { return path }
    let fetched = FetchedModels.folder + "/" + path
    return FileSystem.exists(fetched) ? fetched : path
  }
}

/// A model that is not there.
struct ModelError: RelevanceKitError {
  let path: String

  var category: ErrorCategory { .missingInput }
  var description: String {
    guard !path.contains("/"), !path.hasSuffix(".onnx") else {
      return "\(path): there is no such file" + (similarFile(to: path).map { "; did you mean \($0)?" } ?? "")
    }
    return "\(path): there is no such file, and no fetched model of that name" + FetchedModels.suggestion(for: path)
  }
}

/// A file whose name is like that of one which does not exist, in the same folder.
func similarFile(to path: String) -> String? {
  let url = URL(fileURLWithPath: path)
  let files = (try? FileSystem.names(in: url.deletingLastPathComponent().path)) ?? []
  let name = url.lastPathComponent
  return Suggestion.nearest(to: name, among: files.sorted()).map { path.dropLast(name.count) + $0 }
}

/// Which rule applies where.
struct RuleOptions: ParsableArguments {
  @Option(
    name: .customLong("rules"),
    help: ArgumentHelp(
      """
      The rule table: a YAML file, or \(RuleTable.presetNames.joined(separator: ", ")). (default: default, ViT for a network with \
      attention, or the first other one that fits the network)
      """, valueName: "table"),
    completion: .list(RuleTable.presetNames))
  var name: String?

  @Option(
    name: .customLong("channel-range"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      """
      What the values of the network's input can be, for rule zB: for all channels, or once for each. (default: what the preprocessing \
      gives)
      """, valueName: "low,high"),
    transform: ChannelRange.init(parsing:))
  var channelRanges: [ChannelRange] = []

  @Flag(
    name: .customLong("fold-batch-norm"),
    help: "Let layers do what a batch normalization right behind them does: rules that depend on biases need that.")
  var foldsBatchNormalization = false

  func table(for model: Model) throws -> RuleTable {
    let range = try pixelRange(for: model)
    guard let name else { return .recommended(for: try network(of: model), pixelRange: range) }
    return try RuleTable.preset(name, pixelRange: range) ?? RuleTable(contentsOf: name, pixelRange: range)
  }

  /// The plan of a table that was asked for; else that of the default table or, if that does not fit the network, of the first that does, with
  /// a note.
  func plan(for model: Model) throws -> RulePlan {
    let network = try network(of: model)
    let plan = try table(for: model).draft(for: network)
    guard name == nil, let objection = plan.objection else { return plan }
    let range = try pixelRange(for: model)
    for table in Self.others.lazy.compactMap({ RuleTable.preset($0, pixelRange: range) }) {
      let other = try table.draft(for: network)
      if other.objection == nil {
        Console.note("\(objection); the table \(table.name) is used")
        return other
      }
    }
    return plan
  }

  /// What explains a model by the plan.
  func explainer(for model: Model, threads: Int?) throws -> Explainer {
    let explainer = try Explainer(network(of: model), rules: table(for: model), threads: threads)
    guard name == nil, explainer.plan.objection != nil else { return explainer }
    return try Explainer(explainer.network, rules: plan(for: model).table, threads: threads)
  }

  /// Tables that are tried where the default one does not fit.
  private static let others = ["EpsilonPlus", "EpsilonAlpha2Beta1", "ExcitationBackprop", "ViT"]

  private func pixelRange(for model: Model) throws -> PixelRange {
    let own = model.preprocessing.pixelRange
    guard !channelRanges.isEmpty else { return own }
    let channels = model.network.imageExtents.channels ?? own.lower.count
    guard channelRanges.count == 1 || channelRanges.count == channels else {
      throw ValidationError(
        "--channel-range is given \(channelRanges.count) times; expected once, or for each of \(channels) channels")
    }
    let ranges = channelRanges.count == 1 ? [ChannelRange](repeating: channelRanges[0], count: channels) : channelRanges
    return PixelRange(lower: ranges.map(\.low), upper: ranges.map(\.high))
  }

  /// The model's network as the rules shall see it.
  func network(of model: Model) throws -> NeuralNetwork {
    foldsBatchNormalization ? try model.network.foldingBatchNormalization() : model.network
  }
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

/// The interval of a channel's values, `LOW,HIGH`.
struct ChannelRange {
  let low: Float
  let high: Float

  init(parsing text: String) throws {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
    guard numbers.count == 2, let low = numbers[0], let high = numbers[1], low.isFinite, high.isFinite, low <= high
    else {
      throw ValidationError("--channel-range \(text): expected LOW,HIGH, two numbers of which the first is not larger")
    }
    (self.low, self.high) = (low, high)
  }
}
