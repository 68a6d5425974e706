import COnnx
import Networks
import Tensors

/// Turns the graph of a model into a `Graph`: the nodes that its first output depends on, in the order of the file.
struct GraphImporter {
  private let model: Model
  private let opset: Int
  private var values: [String: Value] = [:]
  private var initializers: [String: UnsafePointer<TensorProto>] = [:]
  private var sparse: Set<String> = []
  private var nodes: [Node] = []
  private var names = UniqueNames()
  private let aliases: [String: [String]]
  private var constantNodes: [ObjectIdentifier: Node.ID] = [:]
  /// How many elements the constants have that were computed of others.
  private var computedCount = 0
  /// Keeps computed constants alive, so that their identifiers stay theirs.
  private var kept: [ConstantTensor] = []
  private var unsupported: [ONNXError.UnsupportedNode] = []
  private var firstError: (any Error)?

  /// What a name in the graph stands for.
  private enum Value {
    case operand(Operand)
    /// An output of a node that only its kind of operator has besides the result.
    case furtherOutput(of: String, operator: String)
    /// What a node makes that could not be imported.
    case unavailable
  }

  /// Imports a model.
  ///
  /// - Throws: `ONNXError`; all nodes that are not supported are in one error.
  static func graph(of model: Model) throws -> Graph {
    guard let graph = model.graph else {
      throw ONNXError.damaged(file: model.file, reason: "it has no graph")
    }
    guard let opset = model.opset, OperatorRegistry.opsets.contains(opset) else {
      let found = model.opset.map(String.init) ?? "none"
      let (first, last) = (OperatorRegistry.opsets.lowerBound, OperatorRegistry.opsets.upperBound)
      throw ONNXError.model(file: model.file, reason: "expected operators of opset \(first) to \(last); found \(found)")
    }
    var importer = GraphImporter(model: model, opset: opset)
    return try importer.run(graph)
  }

  private init(model: Model, opset: Int) {
    self.model = model
    self.opset = opset
    self.aliases = model.aliases
  }

  private mutating func run(_ graph: UnsafePointer<GraphProto>) throws -> Graph {
    guard let result = messages(graph.pointee.n_output, graph.pointee.output).first.map({ text($0.pointee.name) })
    else {
      throw defect("the graph has no output; expected at least 1")
    }
    try addInitializers(of: graph)
    try addInputs(of: graph)
    for node in LiveNodes(of: graph, result: result).nodes { try add(node) }
    if !unsupported.isEmpty { throw ONNXError.unsupported(file: model.file, nodes: unsupported) }
    if let firstError { throw firstError }
    return try Graph(name: text(graph.pointee.name), nodes: nodes, output: try output(named: result))
  }

  private mutating func addInitializers(of graph: UnsafePointer<GraphProto>) throws {
    for tensor in messages(graph.pointee.n_initializer, graph.pointee.initializer) {
      let name = text(tensor.pointee.name)
      guard values[name] == nil, initializers.updateValue(tensor, forKey: name) == nil else {
        throw defect("two initializers are named \(shown(name))")
      }
    }
    for tensor in messages(graph.pointee.n_sparse_initializer, graph.pointee.sparse_initializer) {
      sparse.insert(text(tensor.pointee.values?.pointee.name))
    }
  }

  private mutating func addInputs(of graph: UnsafePointer<GraphProto>) throws {
    for input in messages(graph.pointee.n_input, graph.pointee.input) {
      let name = text(input.pointee.name)
      // Up to IR version 3, files list initializers among the inputs.
      guard initializers[name] == nil, !sparse.contains(name) else { continue }
      guard values[name] == nil else { throw defect("two inputs are named \(shown(name))") }
      guard let shape = SymbolicShape(input) else {
        throw defect("input \(shown(name)) declares no tensor shape; expected one")
      }
      let id = append(.input(shape, of: ElementKind(of: input)), [], named: name)
      values[name] = .operand(.node(id, rank: shape.extents.count))
    }
  }

  private mutating func add(_ node: UnsafePointer<NodeProto>) throws {
    let outputs = texts(node.pointee.n_output, node.pointee.output)
    let op = text(node.pointee.op_type)
    let given = text(node.pointee.name)
    let wanted = given.isEmpty ? outputs.first { !$0.isEmpty } ?? op : given
    for output in outputs where !output.isEmpty {
      guard values[output] == nil, initializers[output] == nil else {
        throw defect("the value \(shown(output)) has two makers, the second being node \(shown(wanted)) (\(shown(op)))")
      }
    }
    var results = [Value.unavailable]
    do {
      if op == "If", isStandard(domain: text(node.pointee.domain)) {
        results = try branch(of: node)
      } else if let imported = try build(node, op: op, name: wanted, outputs: outputs.count) {
        results = try place(imported, named: wanted, outputs: outputs).map { .operand($0) }
      }
    } catch let error as Unsupported {
      unsupported.append(.init(operator: op, name: wanted, reason: error.reason))
    } catch let error as Defect {
      firstError = firstError ?? ONNXError.node(file: model.file, name: wanted, operator: op, reason: error.reason)
    } catch let error as any RelevanceKitError {
      firstError = firstError ?? error
    }
    for (index, output) in outputs.enumerated() where !output.isEmpty {
      values[output] = index < results.count ? results[index] : .furtherOutput(of: wanted, operator: op)
    }
  }

  /// What a node becomes; nil if it, or one that it depends on, is not supported.
  private mutating func build(
    _ node: UnsafePointer<NodeProto>, op: String, name: String, outputs: Int
  ) throws -> Imported? {
    let domain = text(node.pointee.domain)
    guard isStandard(domain: domain), let builder = OperatorRegistry.builders[op] else {
      let full = isStandard(domain: domain) ? op : "\(domain).\(op)"
      unsupported.append(.init(operator: full, name: name, reason: nil))
      return nil
    }
    var operands: [Operand?] = []
    for input in texts(node.pointee.n_input, node.pointee.input) {
      if case .unavailable = values[input] { return nil }
      operands.append(try operand(named: input))
    }
    let reader = NodeReader(
      name: name, opset: opset, attributes: try Attributes(of: node), operands: operands, outputs: outputs,
      model: model)
    return try builder(reader)
  }

  // MARK: If

  /// The outputs of an If whose condition does not depend on the image: its nodes are those of the branch that is taken.
  private mutating func branch(of node: UnsafePointer<NodeProto>) throws -> [Value] {
    let inputs = texts(node.pointee.n_input, node.pointee.input)
    if let name = inputs.first, case .unavailable = values[name] { return [.unavailable] }
    guard let condition = try inputs.first.flatMap({ try operand(named: $0) }) else {
      throw Defect("input cond is missing")
    }
    let attributes = try Attributes(of: node)
    guard let taken = try attributes.graph(try holds(condition) ? "then_branch" : "else_branch") else {
      throw Defect("a branch is missing")
    }
    // The branch sees the names around it; its own are forgotten afterwards, so that another If may use them again.
    let (outerValues, outerInitializers) = (values, initializers)
    try addInitializers(of: taken)
    for inner in messages(taken.pointee.n_node, taken.pointee.node) { try add(inner) }
    let results = try messages(taken.pointee.n_output, taken.pointee.output).map { output -> Value in
      let name = text(output.pointee.name)
      if case .unavailable = values[name] { return .unavailable }
      guard let operand = try operand(named: name) else { throw Defect("its branch has no value \(shown(name))") }
      return .operand(operand)
    }
    (values, initializers) = (outerValues, outerInitializers)
    return results
  }

  /// Whether a condition holds for inputs of any size, as far as two different ones tell.
  private func holds(_ condition: Operand) throws -> Bool {
    switch condition {
    case .constant(let tensor):
      guard tensor.shape.count == 1 else { throw Defect("cond has shape \(tensor.shape); expected one truth value") }
      return try tensor.integers()[0] != 0
    case .node(let id, _):
      let answers = [(batch: 1, side: 224), (batch: 2, side: 320)].map { batch, side -> Bool? in
        guard let graph = try? Graph(name: "", nodes: nodes, output: id),
          case .input(let shape, _)? = nodes.first(where: { $0.operation.kind == .input })?.operation,
          let inferred = try? graph.inferred(forInput: shape.example(batch: batch, side: side))
        else { return nil }
        return inferred[id.index].literal?.integers?.first.map { $0 != 0 }
      }
      guard let answer = answers[0], answers[1] == answer else {
        throw Unsupported("its condition depends on the image or on its size; expected one that is always the same")
      }
      return answer
    }
  }

  // MARK: Operands

  /// What a name stands for; nil for the empty name of an input that is left out.
  private mutating func operand(named name: String) throws -> Operand? {
    if name.isEmpty { return nil }
    switch values[name] {
    case .operand(let operand): return operand
    case .furtherOutput(let node, let op):
      throw Unsupported("it takes a further output of \(shown(node)) (\(shown(op))); only first outputs can be taken")
    case .unavailable: return nil
    case nil: break
    }
    if let tensor = initializers[name] {
      let operand = Operand.constant(try ConstantTensor(tensor, name: name, of: model))
      values[name] = .operand(operand)
      return operand
    }
    if sparse.contains(name) { throw Unsupported("its input \(shown(name)) is a sparse tensor") }
    throw Defect("its input \(shown(name)) is made by no earlier node")
  }

  /// The node that makes the graph's output.
  private mutating func output(named name: String) throws -> Node.ID {
    do {
      if let operand = try operand(named: name) { return try id(of: operand) }
    } catch let error as Unsupported {
      throw defect("the graph's output \(shown(name)) is not supported: \(error.reason)")
    } catch is Defect {}
    throw defect("the graph's output \(shown(name)) is made by no node")
  }

  /// The operands that stand for a node's outputs.
  private mutating func place(_ imported: Imported, named name: String, outputs: [String]) throws -> [Operand] {
    switch imported {
    case .constant(let tensor): return [.constant(tensor)]
    case .node(let operation, let operands): return [try add(operation, operands, named: name)]
    case .chain(let operation, let operands):
      var result = operands[0]
      for operand in operands[1...] { result = try add(operation, [result, operand], named: name) }
      return [result]
    case .outputs(let operations, let operands):
      return try zip(operations, outputs).map { operation, output in
        try add(operation, operands, named: operations.count == 1 || output.isEmpty ? name : output)
      }
    }
  }

  /// A node, or, if all that it takes is known, its value.
  private mutating func add(_ operation: Operator, _ operands: [Operand], named name: String) throws -> Operand {
    let constants = operands.compactMap { if case .constant(let tensor) = $0 { tensor } else { nil } }
    if constants.count == operands.count {
      let known = try constants.map { try Inferred($0.literal()) }
      do {
        let rest = Graph.largestComputedCount - computedCount
        let inferred = try operation.inferred(from: known, largest: rest)
        guard inferred.shape.count <= rest else {
          throw Defect(
            "the model computes constants of \(computedCount) elements and here one of shape \(inferred.shape); expected at "
              + "most \(Graph.largestComputedCount) elements in all")
        }
        if let literal = inferred.literal {
          computedCount += literal.shape.count
          return .constant(ConstantTensor(literal, name: name, file: model.file))
        }
      } catch let error as any RelevanceKitError {
        throw Defect(error.description)
      }
    }
    let rank = operation.outputRank(of: operands)
    return .node(append(operation, try operands.map { try id(of: $0) }, named: name), rank: rank)
  }

  /// The node that makes an operand; a constant gets one when the first node needs it.
  private mutating func id(of operand: Operand) throws -> Node.ID {
    switch operand {
    case .node(let id, _): return id
    case .constant(let tensor):
      if let id = constantNodes[ObjectIdentifier(tensor)] { return id }
      let operation: Operator =
        switch try tensor.literal() {
        case .floats(let value): .constant(value)
        case .integers(let value): .integers(value)
        }
      let id = append(operation, [], named: tensor.name)
      constantNodes[ObjectIdentifier(tensor)] = id
      kept.append(tensor)
      return id
    }
  }

  private mutating func append(_ operation: Operator, _ inputs: [Node.ID], named name: String) -> Node.ID {
    let name = names.unique(name)
    nodes.append(Node(name: name, operation: operation, inputs: inputs, aliases: aliases[name] ?? []))
    return Node.ID(nodes.count - 1)
  }

  private func defect(_ reason: String) -> ONNXError { .model(file: model.file, reason: reason) }
}
