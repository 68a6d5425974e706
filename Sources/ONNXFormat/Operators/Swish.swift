import Networks

extension Swish: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(alpha: try node.attributes.float("alpha") ?? 1)
  }
  var opset: Int { 24 }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}
