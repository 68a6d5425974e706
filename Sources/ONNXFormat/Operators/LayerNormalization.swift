import Networks

extension LayerNormalization: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      axis: try node.attributes.int("axis") ?? -1, scale: try node.weights(1, "Scale").floats(),
      shift: try node.optionalWeights(2, "B")?.floats(), epsilon: try node.attributes.float("epsilon") ?? 1e-5)
  }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    file.operand(of: id, with: [("scale", scale), ("shift", shift)])
  }
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis)), ("epsilon", .float(epsilon))] }
}
