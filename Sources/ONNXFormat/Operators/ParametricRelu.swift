import Networks

extension NodeReader {
  /// PRelu with a constant slope.
  func parametricRelu() throws -> Imported {
    .node(ParametricRelu(slope: try weights(1, "slope").floats()), [try operand(0, "X")])
  }
}

extension ParametricRelu: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("PRelu", [file.inputs(of: id)[0], file.parameter(slope, "slope", of: id)]))
  }
}
