import Networks

/// Gather: indices that are constant or follow from shapes.
extension Gather: WritableOperator {
  init(reading node: NodeReader) throws { self.init(axis: try node.attributes.int("axis") ?? 0) }
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}
