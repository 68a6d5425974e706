import Networks

extension NodeReader {
  /// LeakyRelu.
  func leakyRelu() throws -> Imported { try elementwise(LeakyRelu(alpha: attributes.float("alpha", default: 0.01))) }
}

extension LeakyRelu: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("LeakyRelu", file.inputs(of: id), [.init("alpha", .float(alpha))]))
  }
}
