import RelevanceNetworks

extension Flatten: WritableOperator {
  init(reading node: NodeReader) throws { self.init(axis: try node.attributes.int("axis") ?? 1) }
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}
