import RelevanceExecution
import RelevanceNetworks
import RelevanceSupport

/// Converts the graph of a model to a `Graph`. It has the nodes that one of the model's values depends on, operands
/// first, otherwise in the order of the file.
struct GraphImporter {
  let model: Model
  private let opset: Int
  var values: [String: Value] = [:]
  var initializers: [String: UnsafePointer<TensorProto>] = [:]
  private var sparse: [String: UnsafePointer<SparseTensorProto>] = [:]
  private(set) var nodes: [Node] = []
  /// For each node, whether it depends on pixels, and not only on shapes.
  private(set) var isLiveNode: [Bool] = []
  private var names = UniqueNames()
  private let aliases: [String: [String]]
  private var constantNodes: [ObjectIdentifier: Node.ID] = [:]
  /// The number of elements in constants that were computed from others.
  private(set) var computedCount = 0
  /// The number of elements in the file's constants that others were computed from.
  private var sourceCount = 0
  private var sources: Set<ObjectIdentifier> = []
  /// Keeps computed constants alive, so that their identifiers are not reused.
  private var kept: [ConstantTensor] = []
  /// Nodes that quantize with a measured scale and whose outputs are only used as the real numbers that they represent.
  private var dequantized: Set<String> = []
  private var unsupported: [ONNXError.UnsupportedNode] = []
  private var firstError: (any Error)?

  /// The value that a name in the graph stands for.
  enum Value {
    case operand(Operand)
    /// An output other than the first of a node for which only the first is supported.
    case furtherOutput(of: String, operator: String)
  }

  /// Imports a model. Returns the graph whose result is the value `output`, the nodes of the file that it was built
  /// from, and the removed nodes.
  ///
  /// - Throws: `RelevanceKitError`. One error lists all unsupported nodes.
  static func graph(
    of model: Model, output: String?, prefersLogits: Bool, inputs given: GivenInputs, further: FurtherOutputs
  ) throws -> (Graph, [FileGraph.Node], leftOut: [FileGraph.Node]) {
    guard let graph = model.graph else { throw ONNXError.damaged(model.file, "the file contains no graph") }
    // Files from before the introduction of opsets declare none.
    let opset = model.opset ?? 1
    guard OperatorRegistry.opsets.contains(opset) else {
      let (first, last) = (OperatorRegistry.opsets.lowerBound, OperatorRegistry.opsets.upperBound)
      throw ONNXError.file(model.file, reason: "found opset \(opset); expected opset \(first) to \(last)")
    }
    var importer = GraphImporter(model: model, opset: opset)
    let file = FileGraph(graph)
    let choice = try OutputChoice(output, prefersLogits: prefersLogits, of: file, importer.aliases, file: model.file)
    let (value, leftOut) = choice.beforeDecisions(in: file)
    let joined =
      output == nil && prefersLogits && leftOut.isEmpty ? JoinedOutputs(with: value, of: file) : nil
    let explained = joined?.names ?? [choice.name]
    let kept = try further.kept(in: file, beside: explained, file: model.file)
    let boxes = further.boxes(in: file, beside: explained)
    let inputs = try InputChoice(given, of: graph, file, for: value, model: model)
    var attempt = importer
    do {
      let (result, nodes) = try attempt.run(graph, file, value, choice.name, joined, inputs, kept, boxes)
      return (result, nodes, leftOut)
    } catch {
      guard boxes != nil else { throw error }
      // Without their boxes, scores can still be explained.
      let (result, nodes) = try importer.run(graph, file, value, choice.name, joined, inputs, kept, nil)
      return (result, nodes, leftOut)
    }
  }

  private init(model: Model, opset: Int) {
    (self.model, self.opset) = (model, opset)
    self.aliases = model.aliases
  }

  private mutating func run(
    _ graph: UnsafePointer<GraphProto>, _ file: FileGraph, _ value: String, _ outputName: String,
    _ joined: JoinedOutputs?, _ inputs: InputChoice, _ kept: [String], _ boxes: (names: [String], axis: Int)?
  ) throws -> (Graph, [FileGraph.Node]) {
    try addInitializers(of: graph)
    try add(inputs)
    let live: [FileGraph.Node]
    dequantized = file.dequantizedNodes()
    let results = (joined?.names ?? [value]) + kept + (boxes?.names ?? [])
    do { live = try file.nodes(before: results) } catch let error as Defect {
      throw defect(error.reason)
    }
    for node in live { try add(node) }
    if !unsupported.isEmpty { throw ONNXError.unsupported(file: model.file, nodes: unsupported) }
    if let missing = inputs.missing { throw missing }
    if let firstError { throw firstError }
    // A constant becomes a node here.
    var output = try output(named: value)
    if let joined {
      output = append(
        Concat(axis: joined.axis), try joined.names.map { try self.output(named: $0) },
        named: joined.names.joined(separator: " + "))
    }
    // A Concat with one operand keeps the value as it is in the file, through all rewrites.
    let keptOutputs = try kept.map { name in
      Graph.KeptOutput(name: name, node: append(Concat(axis: -1), [try self.output(named: name)], named: name))
    }
    let boxNode = try boxes.map { boxes in
      append(
        Concat(axis: boxes.axis), try boxes.names.map { try self.output(named: $0) },
        named: boxes.names.joined(separator: " + "))
    }
    let result = try Graph(
      name: text(graph.pointee.name), nodes: nodes, output: output,
      outputName: joined.map { $0.names.joined(separator: " + ") } ?? outputName, outputNames: file.outputs,
      joinedOutputs: joined?.names, keptOutputs: keptOutputs, boxes: boxNode)
    return (result, live)
  }

  mutating func addInitializers(of graph: UnsafePointer<GraphProto>) throws {
    for tensor in messages(graph.pointee.n_initializer, graph.pointee.initializer) {
      let name = text(tensor.pointee.name)
      guard values[name] == nil, initializers.updateValue(tensor, forKey: name) == nil else {
        throw defect("two initializers are named \(shown(name)); expected different names")
      }
    }
    for tensor in messages(graph.pointee.n_sparse_initializer, graph.pointee.sparse_initializer) {
      sparse[text(tensor.pointee.values?.pointee.name)] = tensor
    }
  }

  private mutating func add(_ inputs: InputChoice) throws {
    if let image = inputs.image {
      let id = append(image.operation, [], named: image.name)
      values[image.name] = .operand(.node(id, rank: image.operation.shape.extents.count))
    }
    for (name, value) in inputs.constants {
      values[name] = .operand(.constant(ConstantTensor(value, name: name, file: model.file)))
    }
  }

  mutating func add(_ node: FileGraph.Node) throws {
    let outputs = texts(node.message.pointee.n_output, node.message.pointee.output)
    for output in node.outputs {
      guard values[output] == nil, initializers[output] == nil else {
        throw defect(
          "node \(shown(node.name)) (\(shown(node.op))): output \(shown(output)) already exists; expected a new name")
      }
    }
    var results: [Value]?
    do {
      results =
        try node.op == "If"
        ? branch(of: node)
        : place(build(node, outputs: outputs.count), named: node.name, outputs: outputs).map { .operand($0) }
    } catch let error as Unsupported {
      unsupported.append(.init(node.op, name: node.name, reason: error.reason))
    } catch let error as Defect {
      firstError =
        firstError ?? defect("node \(shown(node.name)) (\(shown(node.op))): \(error.reason)")
    } catch let error as any RelevanceKitError {
      firstError = firstError ?? error
    } catch is Consequence {}
    let first = results ?? [unavailable(node)]
    let further =
      results == nil && !OperatorRegistry.hasOneResult(node.op)
      ? unavailable(node) : Value.furtherOutput(of: node.name, operator: node.op)
    for (index, output) in outputs.enumerated() where !output.isEmpty {
      values[output] = index < first.count ? first[index] : further
    }
  }

  /// The value that stands for the output of a node that cannot be imported.
  private func unavailable(_ node: FileGraph.Node) -> Value {
    let isLive = !OperatorRegistry.takesShapes.contains(node.op) && node.inputs.contains { isLiveValue(named: $0) }
    return .operand(.unavailable(rank: nil, isLive: isLive))
  }

  private mutating func build(_ node: FileGraph.Node, outputs: Int) throws -> Imported {
    guard let builder = OperatorRegistry.builder(named: node.op) else {
      throw Unsupported(OperatorRegistry.reasonsForNone[node.op])
    }
    let operands = try texts(node.message.pointee.n_input, node.message.pointee.input).map { try operand(named: $0) }
    let reader = NodeReader(
      name: node.name, opset: opset, attributes: try Attributes(of: node.message), operands: operands, outputs: outputs,
      model: model, isDequantized: node.outputs.first.map(dequantized.contains) ?? false)
    return try builder(reader)
  }

  // MARK: Operands

  /// The operand that a name stands for; nil for the empty name of an omitted input.
  mutating func operand(named name: String) throws -> Operand? {
    if name.isEmpty { return nil }
    switch values[name] {
    case .operand(let operand): return operand
    case .furtherOutput(let node, let op):
      throw Unsupported("only the first output of \(shown(node)) (\(shown(op))) is supported")
    case nil: break
    }
    if let tensor = initializers[name] {
      let operand = Operand.constant(try ConstantTensor(tensor, name: name, of: model))
      values[name] = .operand(operand)
      return operand
    }
    if let tensor = sparse[name] {
      let operand = Operand.constant(try ConstantTensor(tensor, name: name, of: model))
      values[name] = .operand(operand)
      return operand
    }
    throw Defect("its input \(shown(name)) is undefined; expected an earlier output, an initializer or a graph input")
  }

  private mutating func output(named name: String) throws -> Node.ID {
    do {
      if let operand = try operand(named: name) { return try id(of: operand) }
    } catch let error as Unsupported {
      throw defect("output \(shown(name)) is not supported: \(error.reason ?? "")")
    } catch is Defect {}
    throw defect("output \(shown(name)) is undefined; expected an output of a node")
  }

  /// Stops counting intermediate constants that were computed on the way to a value and are released.
  mutating func settle(_ value: Operand, since count: Int) {
    if case .constant(let tensor) = value { computedCount = min(computedCount, count + tensor.shape.count) }
  }

  /// Adds a node. If all operands are known, returns its value instead.
  mutating func add(_ operation: any Operator, _ operands: [Operand], named name: String) throws -> Operand {
    if let refusal = operation.refusal(ofLiveOperands: operands.map { isLive($0) }) { throw Unsupported(refusal) }
    if operands.contains(where: { if case .unavailable = $0 { true } else { false } }) {
      let isLive = !(operation is ShapeOf) && operands.contains { self.isLive($0) }
      return .unavailable(rank: operation.outputRank(of: operands.map(\.rank)), isLive: isLive)
    }
    let constants = operands.compactMap { if case .constant(let tensor) = $0 { tensor } else { nil } }
    if constants.count == operands.count {
      let known = try constants.map { try Inferred($0.literal()) }
      for tensor in constants where tensor.isOfFile && sources.insert(ObjectIdentifier(tensor)).inserted {
        sourceCount += tensor.shape.count
      }
      do {
        let most = max(Graph.largestComputedCount, 8 * sourceCount)
        let rest = most - computedCount
        let inferred = try operation.inferred(from: known, largest: rest)
        guard inferred.shape.count <= rest else {
          throw Defect(
            "the model computes constants with \(computedCount) elements, and here one of shape \(inferred.shape); "
              + "expected at most \(most) elements in total")
        }
        if let literal = inferred.literal ?? operation.computed(of: known, as: inferred) {
          // The result shares the elements of its operand and takes no additional memory.
          if !operation.keepsElements { computedCount += literal.shape.count }
          return .constant(ConstantTensor(literal, name: name, file: model.file))
        }
      } catch let error as any RelevanceKitError {
        throw Defect(error.description)
      }
    }
    let rank = operation.outputRank(of: operands.map(\.rank))
    let made = append(operation, try operands.map { try id(of: $0) }, named: name)
    // If an extent is computed from the image, the number of extents is unknown until sizes are.
    let isReshape = operation is Reshape || operation is Expand
    return .node(made, rank: rank ?? (isReshape ? exampleShape(of: .node(made, rank: nil))?.rank : nil))
  }

  /// The node that computes an operand. A constant becomes a node when the first node uses it.
  private mutating func id(of operand: Operand) throws -> Node.ID {
    switch operand {
    case .node(let id, _): return id
    case .unavailable: throw Consequence()
    case .constant(let tensor):
      if let id = constantNodes[ObjectIdentifier(tensor)] { return id }
      try tensor.checkNumbers()
      let id = append(Constant(try tensor.literal()), [], named: tensor.name)
      constantNodes[ObjectIdentifier(tensor)] = id
      kept.append(tensor)
      return id
    }
  }

  private mutating func append(_ operation: any Operator, _ inputs: [Node.ID], named name: String) -> Node.ID {
    let name = names.unique(name)
    nodes.append(Node(name: name, operation: operation, inputs: inputs, aliases: aliases[name] ?? []))
    isLiveNode.append(operation is Input || !(operation is ShapeOf) && inputs.contains { isLiveNode[$0.index] })
    return Node.ID(nodes.count - 1)
  }

  private func isLiveValue(named name: String) -> Bool {
    switch values[name] {
    case .operand(let operand): isLive(operand)
    case .furtherOutput: true
    case nil: false
    }
  }

  private func defect(_ reason: String) -> ONNXError { .file(model.file, reason: reason) }
}
