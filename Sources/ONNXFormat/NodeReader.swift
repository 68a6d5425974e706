import RelevanceNetworks
import RelevanceTensors

/// What a node takes: another node's output, or a tensor known beforehand.
enum Operand {
  case node(Node.ID, rank: Int?)
  case constant(ConstantTensor)
  /// What a node would make that could not be imported, or that takes such a value. Nodes that take it are still read, so
  /// that all that is not supported is reported at once. `isLive` says whether it depends on pixels, and not only on shapes.
  case unavailable(rank: Int?, isLive: Bool)

  var rank: Int? {
    switch self {
    case .node(_, let rank), .unavailable(let rank, _): rank
    case .constant(let tensor): tensor.shape.rank
    }
  }
}

/// What a node of the file becomes.
enum Imported {
  case node(any Operator, [Operand])
  case constant(ConstantTensor)
  /// A function of two values applied to the first two operands, then to the result and the third, and so on.
  case chain(any Operator, [Operand])
  /// Operators applied one after the other, the first of them to the operand; one with weights has the node's name.
  case sequence([any RelevanceNetworks.Operator], Operand)
  /// Operators of several values, each applied to operands or to what others have made.
  case recipe(Recipe)
  /// A node of the graph for each output.
  case outputs([any Operator], [Operand])
  /// Nodes that are made one by one; what is returned stands for the outputs.
  case assembly((inout GraphImporter) throws -> [Operand])
}

/// How a node's output is computed by several operators; the last one makes it.
struct Recipe {
  enum Value {
    case operand(Operand)
    case step(Int)
  }
  private(set) var steps: [(operation: any RelevanceNetworks.Operator, values: [Value])] = []

  /// Applies an operator to values, and gives what it makes.
  @discardableResult
  mutating func apply(_ operation: any RelevanceNetworks.Operator, _ values: Value...) -> Value {
    apply(operation, values: values)
  }

  @discardableResult
  mutating func apply(_ operation: any RelevanceNetworks.Operator, values: [Value]) -> Value {
    steps.append((operation, values))
    return .step(steps.count - 1)
  }

  /// Applies operators one after the other, the first of them to a value.
  mutating func apply(_ operations: [any RelevanceNetworks.Operator], to value: Value) -> Value {
    operations.reduce(value) { apply($1, $0) }
  }
}

/// One node of the file as a builder of the registry sees it.
struct NodeReader {
  let name: String
  let opset: Int
  let attributes: Attributes
  /// What it takes, in order; nil for an optional input that is left out.
  let operands: [Operand?]
  let outputs: Int
  let model: Model
  /// Whether the node's outputs together are only taken for the real numbers that they stand for.
  let isDequantized: Bool

  /// The node as if it took other operands.
  func taking(_ operands: Operand?..., opset: Int? = nil) -> NodeReader {
    NodeReader(
      name: name, opset: opset ?? self.opset, attributes: attributes, operands: operands, outputs: outputs,
      model: model, isDequantized: isDequantized)
  }

  /// A tensor as if the file had it.
  func constant(_ tensor: Tensor, _ label: String) -> Operand {
    .constant(ConstantTensor(.floats(tensor), name: "\(name).\(label)", file: model.file))
  }

  /// Input `index`, called `label` in ONNX's documentation.
  ///
  /// - Throws: `Defect` if it is left out.
  func operand(_ index: Int, _ label: String) throws -> Operand {
    guard let operand = optionalOperand(index) else { throw Defect("input \(label) is missing") }
    return operand
  }

  func optionalOperand(_ index: Int) -> Operand? { index < operands.count ? operands[index] : nil }

  /// Input `index`, which must be a tensor known beforehand; nil if it is left out.
  ///
  /// - Throws: `Unsupported` if it depends on the image.
  func optionalConstant(_ index: Int, _ label: String) throws -> ConstantTensor? {
    try optionalOperand(index).map {
      try known($0, else: "input \(label) is computed from the image; expected a constant")
    }
  }

  /// An operand, which must be a tensor known beforehand.
  ///
  /// - Throws: `Unsupported` with the reason if it depends on the image; `Consequence` if it might be a constant but for a node
  ///   that is not supported.
  func known(_ operand: Operand, else reason: @autoclosure () -> String) throws -> ConstantTensor {
    switch operand {
    case .constant(let tensor): return tensor
    case .unavailable(_, isLive: false): throw Consequence()
    case .node, .unavailable: throw Unsupported(reason())
    }
  }

  /// The number of axes of an operand.
  ///
  /// - Throws: `Unsupported` with the reason if it is not known; `Consequence` if that is due to a node that is not supported.
  func rank(of operand: Operand, else reason: String) throws -> Int {
    if let rank = operand.rank { return rank }
    if case .unavailable = operand { throw Consequence() }
    throw Unsupported(reason)
  }

  /// Numbers that are learned, of input `index`: all of them finite.
  ///
  /// - Throws: `Unsupported` if they depend on the image, `Defect` if they are left out or some are NaN or infinite.
  func weights(_ index: Int, _ label: String) throws -> ConstantTensor {
    guard let tensor = try optionalWeights(index, label) else { throw Defect("input \(label) is missing") }
    return tensor
  }

  /// The same; nil if the input is left out.
  func optionalWeights(_ index: Int, _ label: String) throws -> ConstantTensor? {
    let tensor = try optionalConstant(index, label)
    try tensor?.checkFinite()
    return tensor
  }

  // MARK: What becomes of it

  /// A constant that an operator of a recipe takes.
  func constant(_ value: Literal) -> Recipe.Value {
    .operand(.constant(ConstantTensor(value, name: "\(name).constant", file: model.file)))
  }

  /// One number that an operator of a recipe takes.
  func constant(_ number: Float) -> Recipe.Value { constant(.floats(Tensor(shape: [], elements: [number]))) }

  /// An operator that takes the first inputs, which are called so in ONNX's documentation.
  func node(_ operation: any Operator, _ labels: String...) throws -> Imported {
    .node(operation, try labels.enumerated().map { try operand($0.offset, $0.element) })
  }

  func nodeOfAll(_ operation: any Operator) throws -> Imported { .node(operation, try allOperands()) }

  /// An operator of two operands. Before opset 7, `axis` says along which axes of A those of B lie.
  func pairwise(_ operation: any Operator) throws -> Imported {
    let (a, b) = (try operand(0, "A"), try operand(1, "B"))
    guard opset < 7, let axis = try attributes.int("axis") else { return .node(operation, [a, b]) }
    return .node(operation, [a, try aligned(b, with: a, at: axis)])
  }

  /// A constant whose axes are those of another operand from `axis` on.
  private func aligned(_ operand: Operand, with other: Operand, at axis: Int) throws -> Operand {
    let rank = try rank(of: other, else: "axis \(axis) of an operand with an unknown number of axes")
    let first = axis < 0 ? axis + rank : axis
    let own = try self.rank(of: operand, else: "axis \(axis) for an operand with an unknown number of axes")
    guard first >= 0, first + own <= rank else {
      throw Defect("axis is \(axis); expected one of \(rank) axes that leaves \(own)")
    }
    guard first + own < rank else { return operand }
    let tensor = try known(operand, else: "axis \(axis) for an operand that is computed from the image")
    return .constant(try tensor.appending(axes: rank - first - own))
  }

  /// Sum, Min, Max of any number of operands, two at a time.
  func chain(_ operation: any Operator) throws -> Imported {
    guard !operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
    let all = try allOperands()
    return all.count == 1 ? .node(Identity(), all) : .chain(operation, all)
  }

  /// All inputs, none of which may be left out.
  func allOperands() throws -> [Operand] { try operands.indices.map { try operand($0, "\($0)") } }
}
