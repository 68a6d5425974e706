import RelevanceSupport

/// The value of a file's graph that is the result, and what it is called.
struct OutputChoice {
  let value: String
  /// The name of the output, or of the node, that was chosen.
  let name: String

  /// Finds the output of a name, or what the node of that name makes; without a name, the first output or the one most like logits.
  ///
  /// - Throws: `RelevanceKitError`, also if the file has no output.
  init(
    _ wanted: String?, prefersLogits: Bool, of graph: FileGraph, _ aliases: [String: [String]], file: String
  ) throws {
    guard let wanted else {
      guard let first = graph.outputs.first else {
        throw ONNXError.file(file, reason: "the graph has no output; expected at least 1")
      }
      value = prefersLogits && graph.outputs.count > 1 ? OutputPreference(graph).choice(from: first) : first
      name = value
      return
    }
    guard let value = Self.value(named: wanted, of: graph, aliases: aliases) else {
      let nodes = graph.nodes.flatMap { [$0.name] + $0.outputs + (aliases[$0.name] ?? []) }
      throw ONNXError.noSuchOutput(
        file: file, name: wanted, suggestion: Suggestion.nearest(to: wanted, among: graph.outputs + nodes),
        outputs: graph.outputs)
    }
    (self.value, name) = (value, wanted)
  }

  /// The value behind decisions on scores that end a network, and the nodes that are left out with them, last first: what decided is
  /// explained, since decisions have no derivative. What decides on the input itself is left.
  func beforeDecisions(in graph: FileGraph) -> (value: String, nodes: [FileGraph.Node]) {
    var (value, behind): (String, [FileGraph.Node]) = (value, [])
    while true {
      if let decision = OutputPreference.decision(behind: value, in: graph), let operand = decision.last?.inputs.first,
        OutputPreference.isComputed(operand, in: graph)
      {
        (value, behind) = (operand, behind + decision)
      } else if let choice = OutputPreference.suppression(behind: value, in: graph) {
        (value, behind) = (choice.scores, behind + choice.nodes)
      } else {
        return (value, behind)
      }
    }
  }

  /// Outputs come first, then nodes by their own names, then those that a conversion merged into others, then values.
  private static func value(named name: String, of graph: FileGraph, aliases: [String: [String]]) -> String? {
    if graph.outputs.contains(name) { return name }
    let node =
      graph.nodes.first { $0.name == name } ?? graph.nodes.first { aliases[$0.name]?.contains(name) == true }
    if let value = node?.outputs.first { return value }
    return graph.makers[name] == nil ? nil : name
  }
}

/// Which of several outputs is most like logits, as far as names of operators tell.
///
/// It is the first one, unless
/// - it is a decision, such as ArgMax, on the values of another one: then that one;
/// - another depends on it through a weighted layer and ends in one: features, then logits;
/// - another ends in probabilities and it does not: boxes beside scores. If the first depends on that one, that is a gate
///   or a map of attention, and the first stays;
/// - it has four numbers at each of several positions, and another has as many numbers as there may be classes at the same ones: boxes, which
///   may be shares of the image's size and so end in a sigmoid.
struct OutputPreference {
  private let graph: FileGraph
  /// For each node whether it depends on an input of the graph.
  private let depends: [Bool]

  init(_ graph: FileGraph) {
    (self.graph, depends) = (graph, graph.descendants(of: graph.inputs))
  }

  /// The output that is preferred where `first` is the first one.
  func choice(from first: String) -> String {
    var chosen = first
    if let decided = decided(by: first) { chosen = decided }
    for _ in graph.outputs where !endsInProbabilities(chosen) {
      guard let next = graph.outputs.first(where: { isHead($0, on: chosen) }) else { break }
      chosen = next
    }
    let scores = graph.outputs.filter { isOfBoxes(chosen, beside: $0) }
    if let best = scores.first(where: endsInProbabilities) ?? scores.first { return best }
    guard !endsInProbabilities(chosen) else { return chosen }
    let before = graph.ancestors(of: [chosen])
    return graph.outputs.first { output in
      endsInProbabilities(output) && !isOfBoxes(output, beside: chosen)
        && !(graph.makers[output] ?? []).contains { before[$0] }
    } ?? chosen
  }

  /// Whether an output has four numbers where another has a different number, at the same positions.
  private func isOfBoxes(_ output: String, beside other: String) -> Bool {
    guard let own = graph.outputExtents[output], let others = graph.outputExtents[other], own.count == 3,
      others.count == 3, own.dropLast() == others.dropLast(), own[1] != .fixed(1), own[1] != .symbolic(""),
      case (.fixed(4), .fixed(let count)) = (own[2], others[2])
    else { return false }
    return count != 4
  }

  /// Nodes that only give their operand's values another shape or type.
  fileprivate static let keepers: Set = [
    "Identity", "Reshape", "Flatten", "Cast", "Squeeze", "Unsqueeze", "Dropout", "Transpose", "QuantizeLinear",
    "DequantizeLinear",
  ]
  private static let probabilities: Set = ["Softmax", "LogSoftmax", "Sigmoid"]
  private static let decisions: Set = [
    "ArgMax", "ArgMin", "TopK", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "ReduceMax", "Round",
  ]
  static let weighted: Set = [
    "Conv", "ConvTranspose", "Gemm", "MatMul", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger",
  ]
  private static let averages: Set = ["GlobalAveragePool", "ReduceMean", "AveragePool"]
  private static let affine: Set = ["Add", "Sub", "Mul", "Div"]

  private func maker(of value: String) -> FileGraph.Node? { graph.makers[value]?.first.map { graph.nodes[$0] } }

  /// The value that comes before nodes of some operators.
  private func value(before value: String, _ operators: Set<String>) -> String {
    var value = value
    // A graph that has a cycle is refused later.
    for _ in graph.nodes {
      guard let node = maker(of: value), operators.contains(node.op), let operand = node.inputs.first else { break }
      value = operand
    }
    return value
  }

  /// Whether a value ends in probabilities, whatever shape they have.
  private func endsInProbabilities(_ value: String) -> Bool {
    endsInProbabilities(value, depth: 4)
  }

  /// The same where values may be joined of several that do, as of several grids.
  private func endsInProbabilities(_ value: String, depth: Int) -> Bool {
    guard let node = maker(of: self.value(before: value, Self.keepers)) else { return false }
    if Self.probabilities.contains(node.op) { return true }
    switch node.op {
    case "Concat": return depth > 0 && node.inputs.prefix(64).allSatisfy { endsInProbabilities($0, depth: depth - 1) }
    case "Split", "Slice", "Clip":
      return depth > 0 && node.inputs.first.map { endsInProbabilities($0, depth: depth - 1) } ?? false
    default: return false
    }
  }

  /// The nodes with which a value ends, the last of which decides and the others only give what it decides another shape or type.
  fileprivate static func decision(behind value: String, in graph: FileGraph) -> [FileGraph.Node]? {
    var (value, nodes): (String, [FileGraph.Node]) = (value, [])
    for _ in graph.nodes {
      guard let node = graph.makers[value]?.first.map({ graph.nodes[$0] }) else { return nil }
      nodes.append(node)
      if ["ArgMax", "ArgMin", "TopK"].contains(node.op) { return nodes }
      guard keepers.contains(node.op), let operand = node.inputs.first else { return nil }
      value = operand
    }
    return nil
  }

  /// Whether a value is more than an input under another shape or type.
  fileprivate static func isComputed(_ value: String, in graph: FileGraph) -> Bool {
    var value = value
    for _ in graph.nodes {
      guard let node = graph.makers[value]?.first.map({ graph.nodes[$0] }) else { return false }
      guard keepers.contains(node.op), let operand = node.inputs.first else { return true }
      value = operand
    }
    return false
  }

  /// The scores by which boxes are chosen that a value holds, and the nodes that choose them or make of them what a network shows; nil
  /// where anything else is computed of what was chosen.
  fileprivate static func suppression(
    behind value: String, in graph: FileGraph
  ) -> (scores: String, nodes: [FileGraph.Node])? {
    let before = graph.ancestors(of: [value])
    let choosing = graph.nodes.indices.filter { before[$0] && graph.nodes[$0].op == "NonMaxSuppression" }
    let scores = Set(choosing.map { graph.nodes[$0].inputs.dropFirst().first ?? "" })
    guard scores.count == 1, let scores = scores.first, isComputed(scores, in: graph) else { return nil }
    let after = graph.descendants(of: choosing.flatMap { graph.nodes[$0].outputs }, among: before)
    guard graph.nodes.indices.allSatisfy({ !after[$0] || shapers.contains(graph.nodes[$0].op) }) else { return nil }
    let kept = graph.ancestors(of: [scores])
    // What only sorts boxes that another network has found, as a second file, is itself what is asked for.
    guard graph.nodes.indices.contains(where: { kept[$0] && weighted.contains(graph.nodes[$0].op) }) else { return nil }
    return (scores, graph.nodes.indices.reversed().filter { before[$0] && !kept[$0] }.map { graph.nodes[$0] })
  }

  /// What exporters write behind NonMaxSuppression: it picks, joins and sorts what was chosen, and counts it.
  private static let shapers = keepers.union([
    "Add", "ArgMax", "Concat", "ConstantOfShape", "Div", "Equal", "Expand", "Gather", "GatherElements", "GatherND",
    "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mul", "Not", "NonZero", "Pad", "Range",
    "ReduceMax", "ReduceMin", "ReduceSum", "ScatterElements", "ScatterND", "Shape", "Size", "Slice", "Split", "Sub",
    "Tile", "TopK", "Where",
  ])

  /// The output from whose values, or the probabilities of which, `output` is a decision.
  private func decided(by output: String) -> String? {
    guard let last = maker(of: value(before: output, Self.keepers)) else { return nil }
    // scikit-learn's converter looks up the name of the class that was decided for.
    let node = last.op == "ai.onnx.ml.ArrayFeatureExtractor" && last.inputs.count > 1 ? maker(of: last.inputs[1]) : last
    guard let node, Self.decisions.contains(node.op), var value = node.inputs.first else { return nil }
    let passed = Self.keepers.union(Self.decisions).union(Self.probabilities)
    for _ in graph.nodes {
      if value != output, graph.outputs.contains(value) { return value }
      guard let node = maker(of: value), passed.contains(node.op), let operand = node.inputs.first else { break }
      value = operand
    }
    // Beside the decision the probabilities may be made of the same values.
    return graph.outputs.first { other in
      other != output && self.value(before: other, Self.keepers.union(Self.probabilities)) == value
    }
  }

  /// Whether a value is computed of another by weighted layers, the last of which makes it.
  private func isHead(_ output: String, on features: String) -> Bool {
    guard output != features, endsInWeights(output) else { return false }
    let after = graph.descendants(of: [features], among: graph.ancestors(of: [output]))
    return graph.nodes.indices.contains { after[$0] && Self.weighted.contains(graph.nodes[$0].op) }
  }

  /// Whether a weighted layer makes a value, up to its shape, its mean over positions, its probabilities, and what is added to
  /// it or multiplies it beforehand.
  private func endsInWeights(_ value: String) -> Bool {
    let passed = Self.keepers.union(Self.probabilities).union(Self.averages)
    var value = value
    for _ in graph.nodes {
      value = self.value(before: value, passed)
      guard let node = maker(of: value) else { return false }
      if Self.weighted.contains(node.op) { return true }
      let operands = node.inputs.filter { input in
        graph.inputs.contains(input) || (graph.makers[input] ?? []).contains { depends[$0] }
      }
      guard Self.affine.contains(node.op), operands.count == 1 else { return false }
      value = operands[0]
    }
    return false
  }
}
