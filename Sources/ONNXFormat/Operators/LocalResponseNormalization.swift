import RelevanceNetworks

extension LocalResponseNormalization: WritableOperator {
  init(reading node: NodeReader) throws {
    let size = try node.attributes.required("size")
    guard size > 0, size <= Int(Int32.max) else {
      throw Defect("size is \(size); expected a positive number of channels")
    }
    self.init(
      size: size, alpha: try node.attributes.float("alpha") ?? 1e-4,
      beta: try node.attributes.float("beta") ?? 0.75, bias: try node.attributes.float("bias") ?? 1)
  }
  var attributes: [WrittenNode.Attribute] {
    [("size", .int(size)), ("alpha", .float(alpha)), ("beta", .float(beta)), ("bias", .float(bias))]
  }
}
