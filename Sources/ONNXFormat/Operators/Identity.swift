import RelevanceNetworks

extension NodeReader {
  /// Identity. A constant operand stays a constant.
  func passThrough(_ operation: any Operator) throws -> Imported {
    let x = try operand(0, "input")
    if case .constant(let tensor) = x { return .constant(tensor) }
    return .node(operation, [x])
  }

  /// Dropout does nothing. Since opset 12, an input can enable training, which is not supported.
  func dropout() throws -> Imported {
    if opset >= 12, let training = try optionalConstant(2, "training_mode"), try training.integers() != [0] {
      throw Unsupported("training_mode is set; expected inference")
    }
    return try passThrough(Dropout())
  }
}

extension Identity: WritableOperator {}
extension Dropout: WritableOperator {}
