import RelevanceNetworks

extension NodeReader {
  /// Conv: the weight determines the kernel's extents; `kernel_shape` may repeat them.
  func convolution() throws -> Imported {
    let bias = try optionalWeights(2, "B")
    let (x, weight, kernel, groups) = try convolutionParts(rows: "outputs")
    if let declared = try attributes.ints("kernel_shape"), declared != kernel {
      throw Defect(
        "kernel_shape is \(declared); expected \(kernel) for weight \(shown(weight.name)) of shape \(weight.shape)")
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

  /// The common parts of a convolution and a transposed convolution. `rows` names the first axis of the weight.
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
      throw Unsupported("the convolution is over \(shape.rank - 2) axes; expected 1 to 3")
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
