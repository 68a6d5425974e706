import Networks

extension Selu: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      alpha: try node.attributes.float("alpha") ?? 1.6732632,
      gamma: try node.attributes.float("gamma") ?? 1.050701)
  }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha)), ("gamma", .float(gamma))] }
}
