import RelevanceNetworks
import RelevanceTensors

/// Operators that were experimental in ONNX before opset 10.
extension NodeReader {
  /// Scale, Affine, ScaledTanh and ParametricSoftplus: `α f(β x + γ) + δ`, with some of the parameters each.
  private func scaled(
    _ inner: Float, _ function: (any RelevanceNetworks.Operator)?, _ outer: Float, plus shift: Float = 0
  ) throws -> Imported {
    var recipe = Recipe()
    var value = Recipe.Value.operand(try operand(0, "X"))
    if let function {
      value = recipe.apply(function, recipe.apply(Multiply(), value, constant(inner)))
    }
    value = recipe.apply(Multiply(), value, constant(outer))
    if shift != 0 { recipe.apply(Add(), value, constant(shift)) }
    return .recipe(recipe)
  }

  func scale() throws -> Imported { try scaled(1, nil, attributes.float("scale") ?? 1) }

  func affine() throws -> Imported {
    try scaled(1, nil, attributes.float("alpha") ?? 1, plus: attributes.float("beta") ?? 0)
  }

  func scaledTanh() throws -> Imported {
    try scaled(attributes.float("beta") ?? 1, Tanh(), attributes.float("alpha") ?? 1)
  }

  func parametricSoftplus() throws -> Imported {
    try scaled(attributes.float("beta") ?? 1, Softplus(), attributes.float("alpha") ?? 1)
  }

  /// ImageScaler: one factor, and a bias for each channel.
  func imageScaler() throws -> Imported {
    let biases = try attributes.floats("bias") ?? []
    var recipe = Recipe()
    let scaled = recipe.apply(
      Multiply(), .operand(try operand(0, "input")), constant(try attributes.float("scale") ?? 1))
    if !biases.isEmpty {
      recipe.apply(Add(), scaled, constant(.floats(Tensor(shape: [biases.count, 1, 1], elements: biases))))
    }
    return .recipe(recipe)
  }

  /// Crop: the image without a border (left, top, right, bottom), or an extent (height, width) after the left and top
  /// border.
  func crop() throws -> Imported {
    let border = try attributes.present(attributes.ints("border"), "border")
    let extents = try attributes.ints("scale")
    guard border.count == 4, border.allSatisfy({ (0...Int(Int32.max)).contains($0) }),
      extents.map({ $0.count == 2 && $0.allSatisfy { (1...Int(Int32.max)).contains($0) } }) ?? true
    else {
      throw Defect("border is \(border) and scale \(extents ?? []); expected 4 numbers ≥ 0 and 2 positive numbers")
    }
    let (left, top, right, bottom) = (border[0], border[1], border[2], border[3])
    let ends =
      extents.map { [top + $0[0], left + $0[1]] } ?? [bottom == 0 ? Int.max : -bottom, right == 0 ? Int.max : -right]
    let x = try operand(0, "input")
    try expect(x, rank: 4, "input")
    return .node(Slice(starts: .fixed([top, left]), ends: .fixed(ends), axes: .fixed([2, 3])), [x])
  }
}
