import Networks

/// Selu.
extension Selu: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      alpha: try node.attributes.float("alpha", default: 1.6732632),
      gamma: try node.attributes.float("gamma", default: 1.050701))
  }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha)), ("gamma", .float(gamma))] }
}
