import RelevanceNetworks

extension Swish: WritableOperator {
  init(reading node: NodeReader) throws {
    self.init(alpha: try node.attributes.float("alpha") ?? 1)
  }
  var opset: Int { 24 }
  var attributes: [WrittenNode.Attribute] { [("alpha", .float(alpha))] }
}

extension NodeReader {
  /// OpenVINO's Swish, whose factor is an input.
  func openVINOSwish() throws -> Imported {
    let beta = try optionalConstant(1, "beta")?.values().elements ?? [1]
    guard beta.count == 1 else { throw Defect("beta has \(beta.count) elements; expected one") }
    return try .node(Swish(alpha: beta[0]), [operand(0, "data")])
  }
}
