import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  func instanceNormalization() throws -> Imported { try normalization(groups: nil, label: "B") }

  /// GroupNormalization with constant scale and shift, one per group before opset 21 and one per channel since then.
  func groupNormalization(epsilon: String = "epsilon") throws -> Imported {
    let groups = try attributes.required("num_groups")
    guard groups > 0 else { throw Defect("num_groups is \(groups); expected a positive number") }
    return try normalization(groups: groups, label: "bias", epsilon: epsilon)
  }

  /// ONNX Runtime's GroupNorm, with channels last unless an attribute changes that, and its SkipGroupNorm, which first
  /// adds a skip connection.
  func microsoftGroupNorm(skips: Bool) throws -> Imported {
    let x = try operand(0, "X")
    var recipe = Recipe()
    var value = Recipe.Value.operand(x)
    let isLast = try attributes.flag("channels_last", default: true)
    if skips {
      let skip = Recipe.Value.operand(try operand(3, "skip"))
      let isShort =
        try rank(of: operand(3, "skip"), else: "skip has an unknown number of axes; expected a known number") == 2
      value = recipe.apply(
        Add(), value, isShort ? recipe.apply(Unsqueeze(axes: isLast ? [1, 2] : [2, 3]), skip) : skip)
      if let bias = optionalOperand(4) {
        let channels = Recipe.Value.operand(bias)
        value = recipe.apply(Add(), value, isLast ? channels : recipe.apply(Unsqueeze(axes: [1, 2]), channels))
      }
    }
    let (scale, shift) = (try weights(1, "gamma"), try weights(2, "beta"))
    let normalization = GroupNormalization(
      groups: try attributes.required("groups"), scale: try scale.floats(), shift: try shift.floats(),
      epsilon: try attributes.float("epsilon") ?? 1e-5)
    let axes = isLast ? try rank(of: x, else: "channels_last is 1, and X has an unknown number of axes") : 0
    if isLast { value = recipe.apply(Transpose(order: [0, axes - 1] + Array(1..<axes - 1)), value) }
    value = recipe.apply(normalization, value)
    if try attributes.flag("activation") { value = recipe.apply(Swish(alpha: 1), value) }
    if isLast { recipe.apply(Transpose(order: [0] + Array(2..<axes) + [1]), value) }
    return .recipe(recipe)
  }

  private func normalization(groups: Int?, label: String, epsilon: String = "epsilon") throws -> Imported {
    let (scale, shift) = (try weights(1, "scale"), try weights(2, label))
    guard scale.shape.rank == 1, scale.shape == shift.shape else {
      throw Defect(
        "scale has shape \(scale.shape) and \(label) \(shift.shape); expected one number per channel in each")
    }
    if let groups, epsilon == "epsilon", opset < 21, scale.shape.count != groups {
      throw Defect("scale has \(scale.shape.count) numbers; expected \(groups), one per group")
    }
    let normalization = GroupNormalization(
      groups: groups, scale: try scale.floats(), shift: try shift.floats(),
      epsilon: try attributes.float(epsilon) ?? 1e-5)
    return try node(normalization, "X")
  }
}

extension GroupNormalization: WritableOperator {
  var opset: Int { groups == nil ? 0 : 21 }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    guard groups != nil, case .fixed(let channels) = file.extents.shapes[id.index].extents[1], channels != scale.count
    else { return file.operand(of: id, with: [("scale", scale), ("shift", shift)]) }
    // Numbers that were one per group become one per channel.
    func repeated(_ numbers: Tensor) -> Tensor {
      Tensor(shape: [channels], elements: (0..<channels).map { numbers.view[$0 * numbers.count / channels] })
    }
    return file.operand(of: id, with: [("scale", repeated(scale)), ("shift", repeated(shift))])
  }
  var attributes: [WrittenNode.Attribute] {
    [("epsilon", .float(epsilon))] + (groups.map { [("num_groups", .int($0))] } ?? [])
  }
}
