import Networks

extension NodeReader {
  /// ConvTranspose with constant weights: inputs × outputs/group × kernel.
  func transposedConvolution() throws -> Imported {
    let (x, weight, kernel, groups) = try convolutionParts(rows: "inputs")
    guard try attributes.ints("output_shape") == nil else { throw Unsupported("output_shape; expected pads") }
    let extra = try attributes.ints("output_padding") ?? kernel.map { _ in 0 }
    guard extra.count == kernel.count, extra.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      throw Defect("output_padding is \(extra); expected \(kernel.count) numbers ≥ 0")
    }
    let convolution = TransposedConvolution(
      weight: try weight.floats(), bias: try optionalWeights(2, "B")?.floats(), window: try window(kernel: kernel),
      outputPadding: extra, groups: groups)
    return .node(convolution, [x])
  }
}

extension TransposedConvolution: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] { file.layerOperands(self, of: id) }
  var attributes: [WrittenNode.Attribute] {
    window.attributes + [("group", .int(groups)), ("output_padding", .ints(outputPadding))]
  }
}
