import Networks

extension NodeReader {
  /// Selu.
  func selu() throws -> Imported {
    try elementwise(
      Selu(
        alpha: attributes.float("alpha", default: 1.6732632), gamma: attributes.float("gamma", default: 1.050701)))
  }
}

extension Selu: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let attributes: [WrittenNode.Attribute] = [.init("alpha", .float(alpha)), .init("gamma", .float(gamma))]
    file.finish(id, WrittenNode("Selu", file.inputs(of: id), attributes))
  }
}
