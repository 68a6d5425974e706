import RelevanceNetworks
import RelevanceTensors

/// An input of a node: another node's output, or a known tensor.
enum Operand {
  case node(Node.ID, rank: Int?)
  case constant(ConstantTensor)
  /// The output of a node that could not be imported, or that depends on one. Nodes that use it are still read, so that
  /// all unsupported nodes are reported at once. `isLive` is whether it depends on pixels, and not only on shapes.
  case unavailable(rank: Int?, isLive: Bool)

  var rank: Int? {
    switch self {
    case .node(_, let rank), .unavailable(let rank, _): rank
    case .constant(let tensor): tensor.shape.rank
    }
  }
}

/// The imported form of a node of the file.
enum Imported {
  case node(any Operator, [Operand])
  case constant(ConstantTensor)
  /// A pairwise function applied to the first two operands, then to the result and the third, and so on.
  case chain(any Operator, [Operand])
  /// Operators applied one after the other, starting with the operand. One with weights has the node's name.
  case sequence([any RelevanceNetworks.Operator], Operand)
  /// Several operators, each applied to operands or to results of others.
  case recipe(Recipe)
  /// One node of the graph for each output.
  case outputs([any Operator], [Operand])
  /// Nodes that a function adds one by one. It returns the operands that stand for the outputs.
  case assembly((inout GraphImporter) throws -> [Operand])
}

/// The computation of a node's output by several operators. The last one computes the output.
struct Recipe {
  enum Value {
    case operand(Operand)
    case step(Int)
  }
  private(set) var steps: [(operation: any RelevanceNetworks.Operator, values: [Value])] = []

  /// Applies an operator to values and returns its result.
  @discardableResult
  mutating func apply(_ operation: any RelevanceNetworks.Operator, _ values: Value...) -> Value {
    apply(operation, values: values)
  }

  @discardableResult
  mutating func apply(_ operation: any RelevanceNetworks.Operator, values: [Value]) -> Value {
    steps.append((operation, values))
    return .step(steps.count - 1)
  }

  /// Applies operators one after the other, starting with a value.
  mutating func apply(_ operations: [any RelevanceNetworks.Operator], to value: Value) -> Value {
    operations.reduce(value) { apply($1, $0) }
  }
}

/// One node of the file as a builder in the registry receives it.
struct NodeReader {
  let name: String
  let opset: Int
  let attributes: Attributes
  /// The node's inputs in order; nil for an omitted optional input.
  let operands: [Operand?]
  let outputs: Int
  let model: Model
  /// Whether the node's outputs are only used together, as the real numbers that they represent.
  let isDequantized: Bool

  /// The same node with other operands.
  func taking(_ operands: Operand?..., opset: Int? = nil) -> NodeReader {
    NodeReader(
      name: name, opset: opset ?? self.opset, attributes: attributes, operands: operands, outputs: outputs,
      model: model, isDequantized: isDequantized)
  }

  /// A constant tensor, as if it were in the file.
  func constant(_ tensor: Tensor, _ label: String) -> Operand {
    .constant(ConstantTensor(.floats(tensor), name: "\(name).\(label)", file: model.file))
  }

  /// Input `index`, which is named `label` in ONNX's documentation.
  ///
  /// - Throws: `Defect` if it is missing.
  func operand(_ index: Int, _ label: String) throws -> Operand {
    guard let operand = optionalOperand(index) else { throw Defect("input \(label) is missing") }
    return operand
  }

  func optionalOperand(_ index: Int) -> Operand? { index < operands.count ? operands[index] : nil }

  /// Input `index`, which must be a constant; nil if it is omitted.
  ///
  /// - Throws: `Unsupported` if it depends on the image.
  func optionalConstant(_ index: Int, _ label: String) throws -> ConstantTensor? {
    try optionalOperand(index).map {
      try known($0, else: "input \(label) is computed from the image; expected a constant")
    }
  }

  /// The tensor of an operand that must be a constant.
  ///
  /// - Throws: `Unsupported` with the reason if it depends on the image. `Consequence` if an unsupported node prevents
  ///   that it is known.
  func known(_ operand: Operand, else reason: @autoclosure () -> String) throws -> ConstantTensor {
    switch operand {
    case .constant(let tensor): return tensor
    case .unavailable(_, isLive: false): throw Consequence()
    case .node, .unavailable: throw Unsupported(reason())
    }
  }

  /// The number of axes of an operand.
  ///
  /// - Throws: `Unsupported` with the reason if it is unknown; `Consequence` if this is due to an unsupported node.
  func rank(of operand: Operand, else reason: String) throws -> Int {
    if let rank = operand.rank { return rank }
    if case .unavailable = operand { throw Consequence() }
    throw Unsupported(reason)
  }

  /// Learned parameters in input `index`, all of them finite.
  ///
  /// - Throws: `Unsupported` if they depend on the image, `Defect` if they are missing or some are NaN or infinite.
  func weights(_ index: Int, _ label: String) throws -> ConstantTensor {
    guard let tensor = try optionalWeights(index, label) else { throw Defect("input \(label) is missing") }
    return tensor
  }

  /// The same parameters; nil if the input is omitted.
  func optionalWeights(_ index: Int, _ label: String) throws -> ConstantTensor? {
    let tensor = try optionalConstant(index, label)
    try tensor?.checkFinite()
    return tensor
  }

  // MARK: Results

  /// A constant operand for an operator of a recipe.
  func constant(_ value: Literal) -> Recipe.Value {
    .operand(.constant(ConstantTensor(value, name: "\(name).constant", file: model.file)))
  }

  /// A one-number operand for an operator of a recipe.
  func constant(_ number: Float) -> Recipe.Value { constant(.floats(Tensor(shape: [], elements: [number]))) }

  /// An operator on the first inputs, whose names in ONNX's documentation are `labels`.
  func node(_ operation: any Operator, _ labels: String...) throws -> Imported {
    .node(operation, try labels.enumerated().map { try operand($0.offset, $0.element) })
  }

  func nodeOfAll(_ operation: any Operator) throws -> Imported { .node(operation, try allOperands()) }

  /// An operator of two operands. Before opset 7, `axis` is the axis of A that the first axis of B is aligned with.
  func pairwise(_ operation: any Operator) throws -> Imported {
    let (a, b) = (try operand(0, "A"), try operand(1, "B"))
    guard opset < 7, let axis = try attributes.int("axis") else { return .node(operation, [a, b]) }
    return .node(operation, [a, try aligned(b, with: a, at: axis)])
  }

  /// A constant whose axes are aligned with those of another operand from `axis` on.
  private func aligned(_ operand: Operand, with other: Operand, at axis: Int) throws -> Operand {
    let rank = try rank(of: other, else: "axis is \(axis), and input A has an unknown number of axes")
    let first = axis < 0 ? axis + rank : axis
    let own = try self.rank(of: operand, else: "axis is \(axis), and input B has an unknown number of axes")
    guard first >= 0, first + own <= rank else {
      throw Defect("axis is \(axis); expected one of \(rank) axes with room for \(own)")
    }
    guard first + own < rank else { return operand }
    let tensor = try known(operand, else: "axis is \(axis), and input B depends on the image; expected a constant")
    return .constant(try tensor.appending(axes: rank - first - own))
  }

  /// Sum, Min or Max of any number of operands, two at a time.
  func chain(_ operation: any Operator) throws -> Imported {
    guard !operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
    let all = try allOperands()
    return all.count == 1 ? .node(Identity(), all) : .chain(operation, all)
  }

  /// All inputs, none of which may be omitted.
  func allOperands() throws -> [Operand] { try operands.indices.map { try operand($0, "\($0)") } }
}
