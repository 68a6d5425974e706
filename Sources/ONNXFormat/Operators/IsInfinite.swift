import RelevanceNetworks

extension IsInfinite: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(
      detectsNegative: try node.attributes.flag("detect_negative", default: true),
      detectsPositive: try node.attributes.flag("detect_positive", default: true))
  }
  var opset: Int { 10 }
  var attributes: [WrittenNode.Attribute] {
    [("detect_negative", .flag(detectsNegative)), ("detect_positive", .flag(detectsPositive))]
  }
}
