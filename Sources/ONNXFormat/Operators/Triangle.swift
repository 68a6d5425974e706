import RelevanceNetworks

extension NodeReader {
  /// Trilu: the upper triangle unless `upper` is 0.
  func triangle() throws -> Imported {
    var taken = [try operand(0, "input")]
    let diagonal = try optionalOperand(1).map { try list($0, in: &taken) } ?? .fixed([0])
    return .node(Triangle(isUpper: try attributes.flag("upper", default: true), diagonal: diagonal), taken)
  }

  /// CumSum: copies of the operand, multiplied by a triangle of ones and summed.
  func cumulativeSum() throws -> Imported {
    let x = try operand(0, "x")
    let rank = try rank(of: x, else: "its input has an unknown number of axes; expected a known number")
    let axes = try known(operand(1, "axis"), else: "its axis is computed; expected a constant").integers()
    guard axes.count == 1, (-rank..<rank).contains(axes[0]) else {
      throw Defect("axis is \(axes); expected one axis of a tensor of \(rank)")
    }
    let axis = axes[0] < 0 ? axes[0] + rank : axes[0]
    let (excludes, reverses) = (try attributes.flag("exclusive"), try attributes.flag("reverse"))
    if case .constant(let tensor) = x {
      return .constant(
        ConstantTensor(
          try tensor.literal().cumulativeSum(along: axis, excludesOwn: excludes, reverses: reverses), name: name,
          file: model.file))
    }
    var recipe = Recipe()
    let extents = recipe.apply(ShapeOf(start: axis, end: axis + 1), .operand(x))
    let square = recipe.apply(Concat(axis: 0), extents, extents)
    let ones = recipe.apply(ConstantOfShape(value: 1, kind: .real), square)
    let diagonal = excludes ? (reverses ? 1 : -1) : 0
    var mask = recipe.apply(Triangle(isUpper: reverses, diagonal: .fixed([diagonal])), ones)
    if axis < rank - 1 { mask = recipe.apply(Unsqueeze(axes: Array(2..<rank + 1 - axis)), mask) }
    let copies = recipe.apply(Unsqueeze(axes: [axis]), .operand(x))
    let kept = recipe.apply(Multiply(), copies, mask)
    recipe.apply(Reduction(.sum, axes: .fixed([axis + 1]), keepsAxes: false), kept)
    return .recipe(recipe)
  }
}

extension Triangle: WritableOperator {
  var opset: Int { 14 }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    if case .fixed(let numbers) = diagonal {
      let k = IntegerTensor(shape: [], elements: Array(numbers.prefix(1)))
      return [file.inputs(of: id)[0], file.parameter(k, "k", of: id)]
    }
    return [file.inputs(of: id)[0], file.list(diagonal, "k", of: id)]
  }
  var attributes: [WrittenNode.Attribute] { [("upper", .flag(isUpper))] }
}
