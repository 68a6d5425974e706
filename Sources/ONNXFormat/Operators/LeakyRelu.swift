import RelevanceNetworks

extension LeakyRelu: WritableOperator {
  init(reading node: NodeReader) throws { self.init(alpha: try node.attributes.float("alpha") ?? 0.01) }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}
