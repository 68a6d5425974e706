import RelevanceNetworks

extension LayerNormalization: WritableOperator {
  /// LayerNormalization, or RMSNormalization, whose name in ONNX Runtime is SimplifiedLayerNormalization.
  init(reading node: NodeReader, isCentered: Bool = true) throws {
    self.init(
      axis: try node.attributes.int("axis") ?? -1, scale: try node.weights(1, "Scale").floats(),
      shift: try isCentered ? node.optionalWeights(2, "B")?.floats() : nil,
      epsilon: try node.attributes.float("epsilon") ?? 1e-5, isCentered: isCentered)
  }
  var writtenName: String { isCentered ? "LayerNormalization" : "RMSNormalization" }
  var opset: Int { isCentered ? 0 : 23 }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    file.operand(of: id, with: [("scale", scale), ("shift", shift)])
  }
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis)), ("epsilon", .float(epsilon))] }
}
