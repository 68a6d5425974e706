import Networks

extension NodeReader {
  /// Transpose.
  func transpose() throws -> Imported {
    .node(Transpose(order: try attributes.ints("perm")), [try operand(0, "data")])
  }
}

extension Transpose: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let attributes: [WrittenNode.Attribute] = order.map { [.init("perm", .ints($0))] } ?? []
    file.finish(id, WrittenNode("Transpose", file.inputs(of: id), attributes))
  }
}
