import Networks

extension NodeReader {
  /// HardSigmoid.
  func hardSigmoid() throws -> Imported {
    try elementwise(
      HardSigmoid(alpha: attributes.float("alpha", default: 0.2), beta: attributes.float("beta", default: 0.5)))
  }
}

extension HardSigmoid: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(
      id, WrittenNode("HardSigmoid", file.inputs(of: id), [.init("alpha", .float(alpha)), .init("beta", .float(beta))]))
  }
}
