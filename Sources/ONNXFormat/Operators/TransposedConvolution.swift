import RelevanceNetworks

extension NodeReader {
  /// ConvTranspose with constant weights of shape inputs × outputs/group × kernel.
  func transposedConvolution() throws -> Imported {
    let (x, weight, kernel, groups) = try convolutionParts(rows: "inputs")
    let extra = try attributes.ints("output_padding") ?? kernel.map { _ in 0 }
    guard extra.count == kernel.count, extra.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      throw Defect("output_padding is \(extra); expected \(kernel.count) numbers ≥ 0")
    }
    var window = try window(kernel: kernel)
    var extents: [Int]?
    // If extents are given, the pads follow from them. Batch and channels may precede the spatial extents.
    if let shape = try attributes.ints("output_shape"), !shape.isEmpty {
      extents = Array(shape.suffix(kernel.count))
      guard [kernel.count, kernel.count + 2].contains(shape.count), extents!.allSatisfy({ $0 > 0 }) else {
        throw Defect("output_shape is \(shape); expected \(kernel.count) positive numbers")
      }
      let isUpper = try attributes.string("auto_pad") == "SAME_UPPER"
      window = try Window(
        kernel: kernel, strides: window.strides, dilations: window.dilations, padding: isUpper ? .sameUpper : .sameLower
      )
    }
    if kernel.count > 2 {
      guard extents == nil else {
        throw Unsupported("output_shape is given for 3 spatial axes; expected pads")
      }
      return try transposedVolumeConvolution(
        x, weight: weight.floats(), bias: try optionalWeights(2, "B")?.floats(), window, extra: extra, groups: groups)
    }
    let convolution = TransposedConvolution(
      weight: try weight.floats(), bias: try optionalWeights(2, "B")?.floats(), window: window, outputPadding: extra,
      outputExtents: extents, groups: groups)
    return .node(convolution, [x])
  }
}

extension TransposedConvolution: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] { file.layerOperands(self, of: id) }
  var attributes: [WrittenNode.Attribute] {
    window.attributes + [("group", .int(groups)), ("output_padding", .ints(outputPadding))]
      + (outputExtents.map { [("output_shape", .ints($0))] } ?? [])
  }
}
