import Networks

extension NodeReader {
  /// Concat.
  func concat() throws -> Imported {
    guard let axis = try attributes.int("axis") else { throw Defect("attribute axis is missing") }
    guard !operands.isEmpty else { throw Defect("it has no inputs; expected at least 1") }
    return .node(Concat(axis: axis), try operands.indices.map { try operand($0, "\($0)") })
  }
}

extension Concat: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Concat", file.inputs(of: id), [.init("axis", .int(axis))]))
  }
}
