import RelevanceNetworks

extension ThresholdedRelu: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(alpha: try node.attributes.float("alpha") ?? 1)
  }
  var opset: Int { 10 }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}
