import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// EyeLike, with the shape of its input. The input may depend on the image.
  func eyeLike() throws -> Imported {
    let x = try operand(0, "input")
    var kind = ElementKind.real
    if let number = try attributes.int("dtype") {
      let type = ElementType(number: Int32(truncatingIfNeeded: number))
      guard type.isReal || type.isInteger else { throw Unsupported("dtype is \(type); expected numbers or BOOL") }
      kind = type.kind
    } else if case .constant(let tensor) = x {
      kind = tensor.type.kind
    }
    try expect(x, rank: 2, "input")
    var recipe = Recipe()
    recipe.apply(EyeOfShape(diagonal: try attributes.int("k") ?? 0, kind: kind), recipe.apply(ShapeOf(), .operand(x)))
    return .recipe(recipe)
  }

  /// Size: the product of the extents.
  func size() throws -> Imported {
    var recipe = Recipe()
    let extents = recipe.apply(ShapeOf(), .operand(try operand(0, "data")))
    recipe.apply(Reduction(.product, axes: .fixed([0]), keepsAxes: false), extents)
    return .recipe(recipe)
  }
}

extension EyeOfShape: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let zeros = file.helper(WrittenNode("ConstantOfShape", file.inputs(of: id)), named: "\(file.graph[id].name).zeros")
    let attributes: [WrittenNode.Attribute] = [
      ("k", .int(diagonal)), ("dtype", .int(Int(ElementType(elements).number))),
    ]
    file.finish(id, WrittenNode("EyeLike", [zeros], attributes))
  }
}

extension NonZero: WritableOperator {}

extension OneHot: WritableOperator {
  var attributes: [WrittenNode.Attribute] { [("axis", .int(axis))] }
}
