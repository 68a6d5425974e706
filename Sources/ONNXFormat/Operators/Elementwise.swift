import Networks
import Tensors

extension NodeReader {
  /// Add, Mul: two operands, one of which may be constant.
  func elementwise(_ operation: Operator) throws -> Imported {
    .node(operation, [try operand(0, "A"), try operand(1, "B")])
  }

  /// Identity: what it passes on stays a constant if it is one.
  func passThrough(_ operation: Operator) throws -> Imported {
    let x = try operand(0, "input")
    if case .constant(let tensor) = x { return .constant(tensor) }
    return .node(operation, [x])
  }

  /// Dropout: does nothing, unless an input says since opset 12 that it is training.
  func dropout() throws -> Imported {
    if opset >= 12, let training = try optionalConstant(2, "training_mode"), try training.integers() != [0] {
      throw Unsupported("training_mode is set; expected inference")
    }
    return try passThrough(.dropout)
  }

  /// Concat.
  func concat() throws -> Imported {
    guard let axis = try attributes.int("axis") else { throw Defect("attribute axis is missing") }
    guard !operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
    return .node(.concat(axis: axis), try operands.indices.map { try operand($0, "\($0)") })
  }

  /// Softmax, LogSoftmax: before opset 13 over all axes from `axis` on (default 1), since then over `axis` (default −1).
  func softmax(_ operation: (Softmax) -> Operator) throws -> Imported {
    let joins = opset < 13
    let axis = try attributes.int("axis", default: joins ? 1 : -1)
    return .node(operation(Softmax(axis: axis, joinsTrailingAxes: joins)), [try operand(0, "input")])
  }

  /// Constant: one attribute holds the value; the forms other than `value` exist since opset 12.
  func constantValue() throws -> Imported {
    if let tensor = try attributes.tensor("value") {
      return .constant(try ConstantTensor(tensor, name: name, of: model))
    }
    func floats(_ values: [Float], _ shape: Shape) -> Imported {
      .constant(ConstantTensor(floats: values, shape: shape, name: name, file: model.file))
    }
    func integers(_ values: [Int], _ shape: Shape) -> Imported {
      .constant(ConstantTensor(integers: values, shape: shape, name: name, file: model.file))
    }
    if let value = try attributes.float("value_float") { return floats([value], []) }
    if let values = try attributes.floats("value_floats") { return floats(values, [values.count]) }
    if let value = try attributes.int("value_int") { return integers([value], []) }
    if let values = try attributes.ints("value_ints") { return integers(values, [values.count]) }
    for form in ["sparse_value", "value_string", "value_strings"] where attributes.has(form) {
      throw Unsupported("its value is a \(form)")
    }
    throw Defect("attribute value is missing")
  }
}
