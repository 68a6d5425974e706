import Networks

extension NodeReader {
  /// Expand.
  func expand() throws -> Imported { .node(Expand(), [try operand(0, "input"), try operand(1, "shape")]) }
}

extension Expand: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Expand", file.inputs(of: id)))
  }
}
