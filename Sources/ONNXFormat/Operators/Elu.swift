import RelevanceNetworks

extension Elu: WritableOperator {
  init(reading node: NodeReader) throws { self.init(alpha: try node.attributes.float("alpha") ?? 1) }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}
