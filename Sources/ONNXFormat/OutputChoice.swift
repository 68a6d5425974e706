import RelevanceSupport

/// The value of a file's graph that is the result, and its name.
struct OutputChoice {
  let value: String
  /// The name of the chosen output or node.
  let name: String

  /// Finds the output, or the output of the node, with a name. Without a name, chooses the first output or the one most
  /// like logits.
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

  /// The value before the decisions on scores that end a network, and the removed nodes, last first. The scores are
  /// explained instead, because decisions have no derivative. Decisions on the input itself are kept.
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

  /// Looks for outputs first, then for nodes by their own names, then for nodes that a conversion merged into others,
  /// then for values.
  private static func value(named name: String, of graph: FileGraph, aliases: [String: [String]]) -> String? {
    if graph.outputs.contains(name) { return name }
    let node =
      graph.nodes.first { $0.name == name } ?? graph.nodes.first { aliases[$0.name]?.contains(name) == true }
    if let value = node?.outputs.first { return value }
    return graph.makers[name] == nil ? nil : name
  }
}

/// Finds the output that is most like logits, by the names of operators.
///
/// It is the first output, except in these cases:
/// - The first output is a decision, such as ArgMax, on the values of another output. Then it is that output.
/// - Another output depends on the first through a weighted layer and ends in one: features, then logits.
/// - Another output ends in probabilities and the first does not: boxes beside scores. If the first depends on that
///   output, the output is a gate or an attention map, and the first is kept.
/// - The first output has four numbers at each of several positions, and another output has a possible number of
///   classes at the same positions: boxes, which may be relative to the image size and therefore end in a sigmoid.
struct OutputPreference {
  private let graph: FileGraph
  /// For each node, whether it depends on an input of the graph.
  private let depends: [Bool]

  init(_ graph: FileGraph) {
    (self.graph, depends) = (graph, graph.descendants(of: graph.inputs))
  }

  /// The preferred output if `first` is the first one.
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

  /// Whether an output has four numbers where another output has a different number, at the same positions.
  private func isOfBoxes(_ output: String, beside other: String) -> Bool {
    guard let own = graph.outputExtents[output], let others = graph.outputExtents[other], own.count == 3,
      others.count == 3, own.dropLast() == others.dropLast(), own[1] != .fixed(1), own[1] != .symbolic(""),
      case (.fixed(4), .fixed(let count)) = (own[2], others[2])
    else { return false }
    return count != 4
  }

  /// Nodes that only change the shape or type of their operand's values.
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

  /// The value before trailing nodes with the given operators.
  private func value(before value: String, _ operators: Set<String>) -> String {
    var value = value
    // The graph may have a cycle, which is rejected later.
    for _ in graph.nodes {
      guard let node = maker(of: value), operators.contains(node.op), let operand = node.inputs.first else { break }
      value = operand
    }
    return value
  }

  /// Whether a value ends in probabilities, of any shape.
  private func endsInProbabilities(_ value: String) -> Bool {
    endsInProbabilities(value, depth: 4)
  }

  /// The same, also for values that join several such values, for example of several grids.
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

  /// The nodes that end a value in a decision: the last one decides, and the others only change the shape or type. Nil
  /// if it is no decision.
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

  /// Whether a value is more than an input with another shape or type.
  fileprivate static func isComputed(_ value: String, in graph: FileGraph) -> Bool {
    var value = value
    for _ in graph.nodes {
      guard let node = graph.makers[value]?.first.map({ graph.nodes[$0] }) else { return false }
      guard keepers.contains(node.op), let operand = node.inputs.first else { return true }
      value = operand
    }
    return false
  }

  /// The scores that a value uses to select boxes, and the nodes that select and post-process the boxes. Nil if the
  /// graph computes anything else from the selection.
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
    // A network that only sorts boxes, found by another network in another file, is itself the request.
    guard graph.nodes.indices.contains(where: { kept[$0] && weighted.contains(graph.nodes[$0].op) }) else { return nil }
    return (scores, graph.nodes.indices.reversed().filter { before[$0] && !kept[$0] }.map { graph.nodes[$0] })
  }

  /// Operators that exporters write after NonMaxSuppression to select, join, sort and count the boxes.
  private static let shapers = keepers.union([
    "Add", "ArgMax", "Concat", "ConstantOfShape", "Div", "Equal", "Expand", "Gather", "GatherElements", "GatherND",
    "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max", "Min", "Mul", "Not", "NonZero", "Pad", "Range",
    "ReduceMax", "ReduceMin", "ReduceSum", "ScatterElements", "ScatterND", "Shape", "Size", "Slice", "Split", "Sub",
    "Tile", "TopK", "Where",
  ])

  /// The output whose values, or whose probabilities, `output` decides on.
  private func decided(by output: String) -> String? {
    guard let last = maker(of: value(before: output, Self.keepers)) else { return nil }
    // scikit-learn's converter looks up the name of the predicted class.
    let node = last.op == "ai.onnx.ml.ArrayFeatureExtractor" && last.inputs.count > 1 ? maker(of: last.inputs[1]) : last
    guard let node, Self.decisions.contains(node.op), var value = node.inputs.first else { return nil }
    let passed = Self.keepers.union(Self.decisions).union(Self.probabilities)
    for _ in graph.nodes {
      if value != output, graph.outputs.contains(value) { return value }
      guard let node = maker(of: value), passed.contains(node.op), let operand = node.inputs.first else { break }
      value = operand
    }
    // The same values may also be the source of the probabilities.
    return graph.outputs.first { other in
      other != output && self.value(before: other, Self.keepers.union(Self.probabilities)) == value
    }
  }

  /// Whether weighted layers compute a value from another one, and the last of them ends it.
  private func isHead(_ output: String, on features: String) -> Bool {
    guard output != features, endsInWeights(output) else { return false }
    let after = graph.descendants(of: [features], among: graph.ancestors(of: [output]))
    return graph.nodes.indices.contains { after[$0] && Self.weighted.contains(graph.nodes[$0].op) }
  }

  /// Whether a value ends in a weighted layer, apart from its shape, its mean over positions, its probabilities, and
  /// added or multiplied values.
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
