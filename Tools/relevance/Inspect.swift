import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the nodes of a network and the rule of each node.",
    discussion: """
      Lists the operator, shape and rule of each node, and the row of the rule table that assigns the rule. With --why or \
      --receptive-field, prints only the requested information.

      Examples:
        relevance inspect squeezenet1.1 --rules paper
        relevance inspect model.onnx --rules mine.yaml --why conv1 --why fc
        relevance inspect model.onnx --receptive-field conv4 --receptive-field conv4@3,5
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var rules: RuleOptions

  @Option(
    help: ArgumentHelp(
      "Explain the rule of this node: which rows of the table do not match, and why. Repeatable.", valueName: "node"),
    completion: .nodes)
  var why: [String] = []

  @Option(
    help: ArgumentHelp(
      """
      Print the rows and columns of the input that a position of this node depends on. Without a position, print the \
      size and stride of the receptive fields, and the middle one. Repeatable.
      """, valueName: "node[@y,x]"),
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
  /// The model, with zeros for inputs without values; nil if the nodes depend on these values.
  private func load() throws -> Model? {
    do { return try model.load() } catch let error as ONNXError {
      guard case .openInputs(_, let inputs, let others) = error else { throw error }
      Console.result("inputs: \(inputs.joined(separator: ", "))".printable)
      do {
        let model = try model.load(othersAreZeros: true)
        _ = try model.network.graph.shapes(forInput: model.exampleInputShape)
        Console.note(
          "no values given for \(others.joined(separator: ", ")); using zeros; set values with --input NAME=FILE.npy"
        )
        return model
      } catch let refusal as any RelevanceKitError {
        Console.result(
          "no values given for \(others.joined(separator: ", ")), and the nodes cannot be listed with zeros: \(refusal)"
            .printable)
        return nil
      }
    }
  }
}
