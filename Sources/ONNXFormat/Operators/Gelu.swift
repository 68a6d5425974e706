import Networks

extension NodeReader {
  /// Gelu: exactly, or with tanh.
  func gelu() throws -> Imported {
    switch try attributes.string("approximate") ?? "none" {
    case "none": try elementwise(Gelu(approximate: false))
    case "tanh": try elementwise(Gelu(approximate: true))
    case let other: throw Defect("approximate is \(shown(other)); expected none or tanh")
    }
  }
}

extension Gelu: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.require(opset: 20)
    file.finish(
      id, WrittenNode("Gelu", file.inputs(of: id), [.init("approximate", .string(isApproximate ? "tanh" : "none"))]))
  }
}
