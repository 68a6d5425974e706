import RelevanceNetworks
import RelevanceTensors

/// Layers on integers: dequantize, apply the layer, quantize. Operands and weights stay multiples of 1, and all scales
/// are applied in the last step: sums are exact up to 2²⁴, and in ONNX Runtime up to 2³¹.
extension NodeReader {
  /// QLinearConv.
  func quantizedConvolution() throws -> Imported {
    let x = try operand(0, "x")
    let (weights, scales) = try integerWeights(3, scale: 4, zero: 5, axis: 0)
    let bias = try optionalConstant(8, "B").map { constant(try $0.values(), "bias") }
    // ONNX Runtime's own QLinearConv may have channels last.
    let isLast = try attributes.flag("channels_last")
    return try quantizedLayer(x, axis: isLast ? -1 : 1, scales: scales) { x, graph in
      try channelsSecond(x, if: isLast, in: &graph) { try taking($0, constant(weights, "weight"), bias).convolution() }
    }
  }

  /// QLinearMatMul by a constant matrix on the right.
  func quantizedProduct() throws -> Imported {
    let a = try operand(0, "a")
    let (weights, scales) = try integerWeights(3, scale: 4, zero: 5, axis: -1)
    return try quantizedLayer(a, axis: -1, scales: scales) { a, graph in
      try graph.place(taking(a, constant(weights, "weight")).matrixProduct(), named: name)[0]
    }
  }

  /// QGemm: the same as QLinearConv or, without an output scale, with real numbers as output.
  func quantizedGemm() throws -> Imported {
    let a = try operand(0, "A")
    let (weights, scales) = try integerWeights(3, scale: 4, zero: 5, axis: try attributes.flag("transB") ? 0 : -1)
    let alpha = try attributes.float("alpha") ?? 1
    // C is in multiples of alpha and both scales.
    let bias = try optionalConstant(6, "C").map { constant(try $0.values().map { $0 * alpha }, "bias") }
    return try quantizedLayer(a, axis: -1, scales: scales, output: 7) { a, graph in
      try graph.place(taking(a, constant(weights, "weight"), bias).gemm(), named: name)[0]
    }
  }

  private func quantizedLayer(
    _ x: Operand, axis: Int, scales: Tensor, output: Int = 6,
    _ layer: @escaping (Operand, inout GraphImporter) throws -> Operand
  ) throws -> Imported {
    let own = try steps(1, 2)
    let products = scales.map { $0 * own.scale.elements[0] }
    return .assembly { graph in
      let shifted = try shifted(x, 2, in: &graph)
      let sums = try layer(shifted, &graph)
      guard try optionalConstant(output, "scale") != nil else {
        return [try scaled(sums, by: products, in: &graph)]
      }
      let steps = try steps(output, output + 1)
      let relative = products.map { steps.scale.elements[0] / $0 }
      let zero = Tensor(shape: relative.shape, repeating: steps.zero.elements[0])
      let type = try optionalConstant(output + 1, "zero point")?.type ?? .uint8
      return [
        try graph.add(
          Quantize(
            QuantizationSteps(scale: relative, zero: zero, axis: axis), to: type.kind.integerType ?? .uint8,
            limits: type.limits), [sums], named: "\(name).quantize")
      ]
    }
  }

  /// ConvInteger.
  func integerConvolution() throws -> Imported {
    let x = try operand(0, "x")
    let (weights, _) = try integerWeights(1, scale: nil, zero: 3, axis: 0)
    return .assembly { graph in
      let shifted = try shifted(x, 2, in: &graph)
      return try graph.place(taking(shifted, constant(weights, "weight")).convolution(), named: name)
    }
  }

  /// MatMulInteger by a constant matrix on the right.
  func integerProduct() throws -> Imported {
    let a = try operand(0, "A")
    let (weights, _) = try integerWeights(1, scale: nil, zero: 3, axis: -1)
    return .assembly { graph in
      let shifted = try shifted(a, 2, in: &graph)
      return try graph.place(taking(shifted, constant(weights, "weight")).matrixProduct(), named: name)
    }
  }

  /// MatMulIntegerToFloat: the product of integers, their scales, and a bias.
  func integerProductToFloat() throws -> Imported {
    let a = try operand(0, "A")
    let (weights, scales) = try integerWeights(1, scale: 3, zero: 5, axis: -1)
    let own = try steps(2, 4)
    let products = scales.map { $0 * own.scale.elements[0] }
    return .assembly { graph in
      let shifted = try shifted(a, 4, in: &graph)
      let sums = try graph.place(taking(shifted, constant(weights, "weight")).matrixProduct(), named: name)[0]
      let result = try scaled(sums, by: products, in: &graph)
      return [try added(result, 6, in: &graph)]
    }
  }

  /// DynamicQuantizeMatMul: the scale of the operand follows from its values.
  func dynamicallyQuantizedProduct() throws -> Imported {
    let a = try operand(0, "A")
    let (weights, scales) = try integerWeights(1, scale: 2, zero: 3, axis: -1)
    return .assembly { graph in
      let rounded = try graph.add(DynamicQuantize(), [a], named: "\(name).quantize")
      let sums = try graph.place(taking(rounded, constant(weights, "weight")).matrixProduct(), named: name)[0]
      return [try added(try scaled(sums, by: scales, in: &graph), 4, in: &graph)]
    }
  }

  // MARK: Parts

  /// Constant integers minus their zero point, and their scales: one, or one per position along an axis.
  private func integerWeights(
    _ index: Int, scale: Int?, zero: Int, axis: Int
  ) throws -> (weights: Tensor, scales: Tensor) {
    guard let tensor = try optionalConstant(index, "weight") else { throw Defect("input weight is missing") }
    guard tensor.type.isInteger else {
      throw Defect("\(shown(tensor.name)) has type \(tensor.type); expected integers")
    }
    let scales = try scale.flatMap { try optionalConstant($0, "scale")?.floats() } ?? Tensor(shape: [], elements: [1])
    guard scales.count > 0, scales.allElements({ $0.isFinite && $0 != 0 }) else {
      throw Defect("scales of \(shown(tensor.name)) are missing, 0 or not finite; expected finite numbers")
    }
    let zeros = try optionalConstant(zero, "zero point")?.values() ?? Tensor(shape: [], elements: [0])
    func flat(_ numbers: Tensor) -> Tensor { numbers.reshaped(to: [numbers.count]) }
    let steps = QuantizationSteps(
      scale: Tensor(shape: [zeros.count], repeating: 1), zero: flat(zeros), axis: axis)
    do {
      let weights = try Dequantize(steps, from: .int32).values(of: tensor.literal())
      let rank = tensor.shape.rank
      let places = rank == 0 ? 1 : tensor.shape[axis < 0 ? axis + rank : axis]
      guard scales.count == 1 || scales.count == places else {
        throw Defect("\(scales.count) scales do not fit \(shown(tensor.name)) of shape \(tensor.shape)")
      }
      return (weights, flat(scales))
    } catch let error as Misfit {
      throw Defect(error.description)
    }
  }

  /// An operand's integers minus their zero point, input `zero`.
  private func shifted(_ x: Operand, _ zero: Int, in graph: inout GraphImporter) throws -> Operand {
    guard let points = try optionalConstant(zero, "zero point"), try points.values().elements != [0] else { return x }
    guard points.shape.count == 1 else { throw Unsupported("the operand has several zero points; expected one") }
    let steps = QuantizationSteps(scale: Tensor(shape: [], elements: [1]), zero: try points.values())
    let operation = Dequantize(steps, from: points.type.kind.integerType ?? .uint8)
    return try graph.add(operation, [x], named: "\(name).shift")
  }

  /// The product with constants: one, or one per position along the last axis.
  private func scaled(_ x: Operand, by scales: Tensor, in graph: inout GraphImporter) throws -> Operand {
    if scales.elements == [1] { return x }
    return try graph.add(Multiply(), [x, constant(scales, "scale")], named: "\(name).scale")
  }

  /// The sum with a constant input, if there is one.
  private func added(_ x: Operand, _ index: Int, in graph: inout GraphImporter) throws -> Operand {
    guard let bias = try optionalWeights(index, "bias") else { return x }
    return try graph.add(Add(), [x, .constant(bias)], named: "\(name).add")
  }
}
