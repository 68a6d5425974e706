import RelevanceNetworks

extension NodeReader {
  /// ScatterElements, ScatterND and, before opset 11, Scatter. Products and extremes are computed with a tensor that is
  /// neutral elsewhere.
  func scatter(_ places: Scatter.Places) throws -> Imported {
    let all = try [operand(0, "data"), operand(1, "indices"), operand(2, "updates")]
    let reduction = try attributes.string("reduction") ?? "none"
    let combining: (operation: any RelevanceNetworks.Operator, neutral: Double)
    switch reduction {
    case "none", "add": return .node(Scatter(places, adds: reduction == "add"), all)
    case "mul": combining = (Multiply(), 1)
    case "max": combining = (Maximum(), -.infinity)
    case "min": combining = (Minimum(), .infinity)
    default: throw Defect("reduction is \(shown(reduction)); expected none, add, mul, max or min")
    }
    let indices = try known(
      all[1], else: "reduction is \(reduction) and the indices are computed; expected constant indices")
    guard try !mayRepeat(indices.integers(), of: indices, places, data: all[0]) else {
      throw Unsupported("reduction is \(reduction) and indices repeat; expected each index once")
    }
    var recipe = Recipe()
    let shape = recipe.apply(ShapeOf(), .operand(all[0]))
    let neutral = recipe.apply(ConstantOfShape(value: combining.neutral, kind: .real), shape)
    let updates = recipe.apply(Scatter(places, adds: false), neutral, .operand(all[1]), .operand(all[2]))
    recipe.apply(combining.operation, .operand(all[0]), updates)
    return .recipe(recipe)
  }

  /// Whether two updates may go to the same position. Negative indices may refer to the same position as others.
  private func mayRepeat(
    _ indices: [Int], of tensor: ConstantTensor, _ places: Scatter.Places, data: Operand
  ) throws -> Bool {
    let isMixed = indices.contains { $0 < 0 } && indices.contains { $0 >= 0 }
    let shape = tensor.shape
    var seen: Set<[Int]> = []
    switch places {
    case .parts:
      let width = max(shape.rank > 0 ? shape[-1] : 1, 1)
      let rows = stride(from: 0, to: indices.count, by: width).map {
        Array(indices[$0..<min($0 + width, indices.count)])
      }
      return !rows.allSatisfy { seen.insert($0).inserted } || isMixed && rows.count > 1
    case .along(let axis):
      let axis = axis < 0 ? axis + shape.rank : axis
      guard shape.dimensions.indices.contains(axis) else {
        throw Defect("axis is \(axis); expected an axis of the indices")
      }
      let inner = shape.strides[axis]
      let places = indices.enumerated().map { position, index in
        [position / (inner * shape[axis]), position % inner, index]
      }
      return !places.allSatisfy { seen.insert($0).inserted } || isMixed && shape[axis] > 1
    }
  }
}

extension Scatter: WritableOperator {
  var opset: Int { adds ? 16 : 0 }
  var attributes: [WrittenNode.Attribute] {
    let reduction: [WrittenNode.Attribute] = adds ? [("reduction", .string("add"))] : []
    if case .along(let axis) = places { return [("axis", .int(axis))] + reduction }
    return reduction
  }
}
