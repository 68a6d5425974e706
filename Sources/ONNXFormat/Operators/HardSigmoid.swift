import RelevanceNetworks

extension HardSigmoid: WritableOperator {
  init(reading node: NodeReader) throws {
    let attributes = node.attributes
    self.init(alpha: try attributes.float("alpha") ?? 0.2, beta: try attributes.float("beta") ?? 0.5)
  }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha)), ("beta", .float(beta))] }
}
