import RelevanceNetworks

extension Celu: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(alpha: try node.attributes.float("alpha") ?? 1)
  }
  var opset: Int { 12 }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}
