import Networks

extension Mish: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.require(opset: 18)
    file.finish(id, WrittenNode("Mish", file.inputs(of: id)))
  }
}
