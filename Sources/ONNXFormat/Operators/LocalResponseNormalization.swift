import Networks

extension NodeReader {
  /// LRN across channels.
  func localResponseNormalization() throws -> Imported {
    guard let size = try attributes.int("size") else { throw Defect("attribute size is missing") }
    guard size > 0, size <= Int(Int32.max) else {
      throw Defect("size is \(size); expected a positive number of channels")
    }
    let normalization = LocalResponseNormalization(
      size: size, alpha: try attributes.float("alpha", default: 1e-4),
      beta: try attributes.float("beta", default: 0.75),
      bias: try attributes.float("bias", default: 1))
    return .node(normalization, [try operand(0, "X")])
  }
}

extension LocalResponseNormalization: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let attributes: [WrittenNode.Attribute] = [
      .init("size", .int(size)), .init("alpha", .float(alpha)), .init("beta", .float(beta)),
      .init("bias", .float(bias)),
    ]
    file.finish(id, WrittenNode("LRN", file.inputs(of: id), attributes))
  }
}
