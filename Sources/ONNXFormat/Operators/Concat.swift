import RelevanceNetworks

extension Concat: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(axis: try node.opset < 4 ? node.attributes.int("axis") ?? 1 : node.attributes.required("axis"))
    guard !node.operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
  }
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}
