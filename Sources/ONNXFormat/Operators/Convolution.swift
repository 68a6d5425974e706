import RelevanceNetworks

extension NodeReader {
  /// Conv: the kernel's extents are the weight's; `kernel_shape` may repeat them.
  func convolution() throws -> Imported {
    let bias = try optionalWeights(2, "B")
    let (x, weight, kernel, groups) = try convolutionParts(rows: "outputs")
    if let declared = try attributes.ints("kernel_shape"), declared != kernel {
      throw Defect(
        "kernel_shape is \(declared); the weight \(shown(weight.name)) of shape \(weight.shape) has \(kernel)")
    }
    if let bias, bias.shape != [weight.shape[0]] {
      throw Defect(
        "bias \(shown(bias.name)) has shape \(bias.shape); expected \(weight.shape[0]), one number per output")
    }
    let window = try window(kernel: kernel)
    if kernel.count > 2 {
      var recipe = Recipe()
      try volumeConvolution(
        .operand(x), weight: weight.floats(), bias: try bias?.floats(), window, groups: groups, in: &recipe)
      return .recipe(recipe)
    }
    let convolution = Convolution(
      weight: try weight.floats(), bias: try bias?.floats(), window: window, groups: groups)
    return .node(convolution, [x])
  }

  /// What a convolution and a transposed one have; `rows` is what the weight's first axis counts.
  func convolutionParts(
    rows: String
  ) throws -> (x: Operand, weight: ConstantTensor, kernel: [Int], groups: Int) {
    let x = try operand(0, "X")
    let weight = try weights(1, "W")
    let groups = try attributes.int("group") ?? 1
    let shape = weight.shape
    guard shape.rank >= 3, shape.count > 0 else {
      throw Defect("weight \(shown(weight.name)) has shape \(shape); expected at least 3 axes, none of them empty")
    }
    guard shape.rank <= 5 else {
      throw Unsupported("a convolution over \(shape.rank - 2) axes; expected 1 to 3")
    }
    guard groups > 0, shape[0] % groups == 0 else {
      throw Defect("group is \(groups); expected a divisor of the \(shape[0]) \(rows) of weight \(shown(weight.name))")
    }
    try expect(x, rank: shape.rank, "X")
    return (x, weight, Array(shape.dimensions[2...]), groups)
  }
}

extension Convolution: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] { file.layerOperands(self, of: id) }
  var attributes: [WrittenNode.Attribute] { window.attributes + [("group", .int(groups))] }
}
