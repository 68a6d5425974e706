import Networks

extension NodeReader {
  /// Gather: indices that are constant or follow from shapes.
  func gather() throws -> Imported {
    .node(
      Gather(axis: try attributes.int("axis", default: 0)), [try operand(0, "data"), try operand(1, "indices")])
  }
}

extension Gather: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Gather", file.inputs(of: id), [.init("axis", .int(axis))]))
  }
}
