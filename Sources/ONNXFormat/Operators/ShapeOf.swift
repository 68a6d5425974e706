import Networks

extension NodeReader {
  /// Shape; part of it since opset 15.
  func shape() throws -> Imported {
    .node(
      ShapeOf(start: try attributes.int("start", default: 0), end: try attributes.int("end")), [try operand(0, "data")])
  }
}

extension ShapeOf: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    var attributes: [WrittenNode.Attribute] = start == 0 ? [] : [.init("start", .int(start))]
    if let end { attributes.append(.init("end", .int(end))) }
    file.finish(id, WrittenNode("Shape", file.inputs(of: id), attributes))
  }
}
