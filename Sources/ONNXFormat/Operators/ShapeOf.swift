import RelevanceNetworks

/// Shape, or part of it since opset 15.
extension ShapeOf: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(start: try node.attributes.int("start") ?? 0, end: try node.attributes.int("end"))
  }
  var attributes: [WrittenNode.Attribute] {
    (start == 0 ? [] : [("start", .int(start))]) + (end.map { [("end", .int($0))] } ?? [])
  }
}
