import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the network's nodes and which rule applies to each.",
    discussion: """
      Examples:
        relevance inspect squeezenet1.1 --rules paper
        relevance inspect model.onnx --rules mine.yaml --why conv1 --why fc
        relevance inspect model.onnx --receptive-field conv4 --receptive-field conv4@3,5
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var rules: RuleOptions

  @Option(
    help: ArgumentHelp(
      "Show why a node has its rule: the rows that did not match, and why. Repeatable.", valueName: "node"),
    completion: .nodes)
  var why: [String] = []

  @Option(
    help: ArgumentHelp(
      "Show which rows and columns of the input a position of a node's output depends on; without a position, size and stride of the node's receptive fields and the field in the middle. Repeatable.",
      valueName: "node[@y,x]"),
    completion: .nodes)
  var receptiveField: [String] = []

  func run() throws {
    guard let model = try load() else { return }
    try showFields(of: model)
    guard receptiveField.isEmpty || !why.isEmpty else { return }
    let plan = try rules.plan(for: model)
    let network = plan.network
    let shape = model.exampleInputShape
    defer { plan.warnings.forEach { Console.note($0) } }
    guard why.isEmpty else {
      let nodes = try why.map { try network.graph.requiredNode(named: $0) }
      return Console.result(nodes.map { plan.reason(for: $0) }.joined(separator: "\n"))
    }
    defer { if let objection = plan.objection { Console.result("\(objection)".printable) } }
    Console.result(
      "\(network.graph.name): input \(network.inputShape), shapes for \(shape), rule table \(plan.table.name)"
        .printable)
    let (output, outputs) = (network.graph.outputName, network.graph.outputNames)
    if outputs != [output] {
      let names = outputs.map { $0 + (network.graph.explainedOutputs.contains($0) ? " (explained)" : "") }
      let isNode = network.graph.explainedOutputs.isEmpty
      Console.result(
        ("outputs: \(names.joined(separator: ", "))" + (isNode ? "; explained: node \(output)" : "")).printable)
    }
    if let inferred = (try? network.analysis(forInput: shape))?.inferred {
      Console.result("scores: \(network.scoreLayout(inferred))")
    }
    Console.result(try namingModel(model) { try plan.description(forInput: shape) })
  }
  /// The model, with zeros for inputs that are given no values; nil where nodes cannot be told without them.
  private func load() throws -> Model? {
    do { return try model.load() } catch let error as ONNXError {
      guard case .openInputs(_, let inputs, let others) = error else { throw error }
      Console.result("inputs: \(inputs.joined(separator: ", "))".printable)
      do {
        let model = try model.load(othersAreZeros: true)
        _ = try model.network.graph.shapes(forInput: model.exampleInputShape)
        Console.note(
          "no values are given for \(others.joined(separator: ", ")); zeros are in their place, until --input NAME=FILE.npy gives others"
        )
        return model
      } catch let refusal as any RelevanceKitError {
        Console.result(
          "no values are given for \(others.joined(separator: ", ")), and with zeros the nodes are not known: \(refusal)"
            .printable)
        return nil
      }
    }
  }
}
