import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  func batchNormalization() throws -> Imported {
    let x = try operand(0, "X")
    if try attributes.flag("training_mode") { return try ownNormalization(x) }
    // Opset 7 could also normalize every position separately.
    guard try attributes.flag("spatial", default: true) else { throw Unsupported("spatial is 0; expected 1") }
    let parameters = try ["scale", "B", "input_mean", "input_var"].enumerated().map { index, label in
      let parameter = try weights(index + 1, label)
      guard parameter.shape.rank == 1 else {
        throw Defect(
          "\(label), \(shown(parameter.name)), has shape \(parameter.shape); expected one number per channel")
      }
      return parameter
    }
    guard Set(parameters.map(\.shape)).count == 1 else {
      let counts = parameters.map { String($0.shape.count) }.joined(separator: ", ")
      throw Defect("scale, B, input_mean and input_var have \(counts) numbers; expected the same, one per channel")
    }
    let tensors = try parameters.map { try $0.floats() }
    let normalization = BatchNormalization(
      gamma: tensors[0], beta: tensors[1], mean: tensors[2], variance: tensors[3],
      epsilon: try attributes.float("epsilon") ?? 1e-5)
    // A variance close to or below −epsilon makes the results NaN or infinite.
    _ = try normalization.scale.checkedFinite("scale/√(input_var + epsilon)")
    _ = try normalization.shift.checkedFinite("B − input_mean·scale/√(input_var + epsilon)")
    return .node(normalization, [x])
  }

  /// Normalization by the statistics of the operand itself, as in training. A constant operand is supported, for
  /// example standardized weights. For a batch of images, each result would depend on the other images.
  private func ownNormalization(_ x: Operand) throws -> Imported {
    let tensor = try known(x, else: "training_mode is 1 and the input depends on the image; expected 0")
    guard tensor.shape.rank >= 2 else {
      throw Defect("X, \(shown(tensor.name)), has shape \(tensor.shape); expected batch × channels")
    }
    let axes = [0] + Array(2..<tensor.shape.rank)
    let means = Self.neighbors(axes).map { Reduction(.mean, axes: .fixed($0), keepsAxes: true) }
    let (scale, shift) = (Recipe.Value.operand(try operand(1, "scale")), Recipe.Value.operand(try operand(2, "B")))
    var recipe = Recipe()
    // One number per channel, with trailing axes.
    let behind = Array(1..<tensor.shape.rank - 1)
    func perChannel(_ value: Recipe.Value) -> Recipe.Value {
      behind.isEmpty ? value : recipe.apply(Unsqueeze(axes: behind), value)
    }
    let centered = recipe.apply(Subtract(), .operand(x), recipe.apply(means, to: .operand(x)))
    let variance = recipe.apply(means, to: recipe.apply(Multiply(), centered, centered))
    let epsilon = constant(try attributes.float("epsilon") ?? 1e-5)
    let deviation = recipe.apply(Sqrt(), recipe.apply(Add(), variance, epsilon))
    let scaled = recipe.apply(Multiply(), recipe.apply(Divide(), centered, deviation), perChannel(scale))
    recipe.apply(Add(), scaled, perChannel(shift))
    return .recipe(recipe)
  }
}

extension BatchNormalization: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    // Scale and shift already include the statistics. The written statistics change nothing, bit for bit.
    let channels: TensorShape = [scale.count]
    return file.operand(
      of: id,
      with: [
        ("scale", scale), ("shift", shift), ("mean", Tensor(shape: channels, repeating: 0)),
        ("variance", Tensor(shape: channels, repeating: 1)),
      ])
  }
  var attributes: [WrittenNode.Attribute] { [("epsilon", .float(0))] }
}
