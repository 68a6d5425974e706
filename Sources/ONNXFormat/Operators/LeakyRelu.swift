import Networks

/// LeakyRelu.
extension LeakyRelu: WritableOperator {
  init(reading node: NodeReader) throws { self.init(alpha: try node.attributes.float("alpha", default: 0.01)) }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}
