import Networks

extension NodeReader {
  /// Flatten.
  func flatten() throws -> Imported {
    .node(Flatten(axis: try attributes.int("axis", default: 1)), [try operand(0, "input")])
  }
}

extension Flatten: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Flatten", file.inputs(of: id), [.init("axis", .int(axis))]))
  }
}
