import Networks

extension NodeReader {
  /// ConvTranspose with constant weights: inputs × outputs/group × kernel.
  func transposedConvolution() throws -> Imported {
    let x = try operand(0, "X")
    let weight = try weights(1, "W")
    let shape = weight.shape
    let groups = try attributes.int("group", default: 1)
    guard shape.rank >= 3, shape.count > 0 else {
      throw Defect("weight \(shown(weight.name)) has shape \(shape); expected at least 3 axes, none of them empty")
    }
    guard shape.rank <= 4 else { throw Unsupported("a convolution over \(shape.rank - 2) axes; expected 1 or 2") }
    guard groups > 0, shape[0] % groups == 0 else {
      throw Defect("group is \(groups); expected a divisor of the \(shape[0]) inputs of weight \(shown(weight.name))")
    }
    guard try attributes.ints("output_shape") == nil else { throw Unsupported("output_shape; expected pads") }
    try expect(x, rank: shape.rank, "X")
    let kernel = Array(shape.dimensions[2...])
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
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let attributes: [WrittenNode.Attribute] = [
      .init("group", .int(groups)), .init("output_padding", .ints(outputPadding)),
    ]
    file.finish(id, WrittenNode("ConvTranspose", file.layerOperands(self, of: id), window.attributes + attributes))
  }
}
