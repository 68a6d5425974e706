import Networks

extension NodeReader {
  /// Elu.
  func elu() throws -> Imported { try elementwise(Elu(alpha: attributes.float("alpha", default: 1))) }
}

extension Elu: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Elu", file.inputs(of: id), [.init("alpha", .float(alpha))]))
  }
}
