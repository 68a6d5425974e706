import Networks

extension NodeReader {
  /// Conv: the kernel's extents are the weight's; `kernel_shape` may repeat them.
  func convolution() throws -> Imported {
    let x = try operand(0, "X")
    let weight = try weights(1, "W")
    let bias = try optionalWeights(2, "B")
    let groups = try attributes.int("group", default: 1)
    let shape = weight.shape
    guard shape.rank >= 3, shape.count > 0 else {
      throw Defect("weight \(shown(weight.name)) has shape \(shape); expected at least 3 axes, none of them empty")
    }
    guard shape.rank <= 4 else { throw Unsupported("a convolution over \(shape.rank - 2) axes; expected 1 or 2") }
    let kernel = Array(shape.dimensions[2...])
    if let declared = try attributes.ints("kernel_shape"), declared != kernel {
      throw Defect("kernel_shape is \(declared); the weight \(shown(weight.name)) of shape \(shape) has \(kernel)")
    }
    guard groups > 0, shape[0] % groups == 0 else {
      throw Defect("group is \(groups); expected a divisor of the \(shape[0]) outputs of weight \(shown(weight.name))")
    }
    try expect(x, rank: shape.rank, "X")
    if let bias, bias.shape != [shape[0]] {
      throw Defect("bias \(shown(bias.name)) has shape \(bias.shape); expected \(shape[0]), one number per output")
    }
    let convolution = Convolution(
      weight: try weight.floats(), bias: try bias?.floats(), window: try window(kernel: kernel), groups: groups)
    return .node(convolution, [x])
  }
}

extension Convolution: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let attributes = window.attributes + [.init("group", .int(groups))]
    file.finish(id, WrittenNode("Conv", file.layerOperands(self, of: id), attributes))
  }
}
