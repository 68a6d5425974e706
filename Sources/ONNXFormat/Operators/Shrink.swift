import RelevanceNetworks

extension Shrink: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      bias: try node.attributes.float("bias") ?? 0,
      lambda: try node.attributes.float("lambd") ?? 0.5)
  }
  var opset: Int { 9 }
  var attributes: [WrittenNode.Attribute] { [("bias", .float(bias)), ("lambd", .float(lambda))] }
}
