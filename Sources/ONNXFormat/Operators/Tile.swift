import RelevanceNetworks

extension NodeReader {
  /// Tile; before opset 6 along one axis.
  func tile() throws -> Imported {
    guard opset < 6 else { return try node(Tile(), "input", "repeats") }
    let x = try operand(0, "input")
    guard let tiles = try optionalConstant(1, "tiles")?.values().elements.first,
      let axis = try optionalConstant(2, "axis")?.values().elements.first, (1...1024).contains(tiles),
      abs(axis) <= 32
    else { throw Defect("tiles or axis is missing or out of range; expected 1 to 1024 tiles along an axis") }
    return .node(Concat(axis: Int(axis)), Array(repeating: x, count: Int(tiles)))
  }

  /// Compress: the elements, along an axis or in flattened order, for which a condition is true.
  func compress() throws -> Imported {
    let x = try operand(0, "input")
    let condition = try known(operand(1, "condition"), else: "its condition is computed; expected a constant")
      .integers()
    let chosen = constant(.integers(IntegerTensor(condition.indices.filter { condition[$0] != 0 })))
    var recipe = Recipe()
    if let axis = try attributes.int("axis") {
      recipe.apply(Gather(axis: axis), .operand(x), chosen)
    } else {
      recipe.apply(Gather(axis: 0), recipe.apply(Reshape(extents: .fixed([-1]), allowZero: false), .operand(x)), chosen)
    }
    return .recipe(recipe)
  }
}

extension Tile: WritableOperator {}
