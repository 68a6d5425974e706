import RelevanceNetworks

extension NodeReader {
  /// Hardmax. Before opset 13 it covers all axes from `axis` on (default 1), since then only `axis` (default −1).
  func hardmax() throws -> Imported {
    guard opset < 13 else { return try node(Hardmax(axis: attributes.int("axis") ?? -1), "input") }
    let x = Recipe.Value.operand(try operand(0, "input"))
    var recipe = Recipe()
    let matrix = recipe.apply(Flatten(axis: try attributes.int("axis") ?? 1), x)
    let shape = recipe.apply(ShapeOf(), x)
    let decided = recipe.apply(Hardmax(axis: 1), matrix)
    recipe.apply(Reshape(extents: .operand(1), allowZero: true), decided, shape)
    return .recipe(recipe)
  }
}

extension Hardmax: WritableOperator {
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}
