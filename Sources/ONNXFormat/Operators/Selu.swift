import RelevanceNetworks

extension Selu: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      alpha: try node.attributes.float("alpha") ?? (node.opset < 6 ? 1.6732 : 1.6732632),
      gamma: try node.attributes.float("gamma") ?? (node.opset < 6 ? 1.0507 : 1.050701))
  }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha)), ("gamma", .float(gamma))] }
}
