import RelevanceNetworks
import RelevanceTensors

/// Windows over three axes, expressed by windows over two.
extension NodeReader {
  /// A pool over three axes, one axis after the other: the mean of means of equal counts, or the maximum of maxima.
  func volumePool(
    _ x: Operand, _ window: Window, _ pool: (Window) -> any RelevanceNetworks.Operator
  ) throws -> Imported {
    var recipe = Recipe()
    var value = Recipe.Value.operand(x)
    let depth = try window.over(axes: [0], padded: true)
    let plane = try window.over(axes: [1, 2])
    let extents = value
    if !plane.isTrivial {
      let planes = recipe.apply(
        Reshape(extents: .operand(1), allowZero: false), value,
        recipe.apply(Concat(axis: 0), constant([0, -1]), recipe.apply(ShapeOf(start: 3), extents)))
      value = recipe.apply(pool(plane), planes)
    }
    // Height and width are joined to one axis beside the depth.
    let pooled = value
    let sides = plane.isTrivial ? recipe.apply(ShapeOf(start: 3), pooled) : recipe.apply(ShapeOf(start: 2), pooled)
    let columns = recipe.apply(Concat(axis: 0), recipe.apply(ShapeOf(end: 3), extents), constant([-1]))
    value = recipe.apply(Reshape(extents: .operand(1), allowZero: false), value, columns)
    if !depth.isTrivial { value = recipe.apply(pool(depth), value) }
    recipe.apply(
      Reshape(extents: .operand(1), allowZero: false), value,
      recipe.apply(Concat(axis: 0), constant([0, 0, 0]), sides))
    return .recipe(recipe)
  }

  /// A convolution over three axes: a convolution over two axes, with the slices under each position of the window
  /// along the first axis as channels.
  func volumeConvolution(
    _ x: Recipe.Value, weight: Tensor, bias: Tensor?, _ window: Window, groups: Int, in recipe: inout Recipe
  ) throws {
    guard case .explicit(let before, let after) = window.withKnownPads() else {
      throw Unsupported("auto_pad is set for 3 spatial axes with strides \(window.strides); expected pads")
    }
    let (outputs, slices) = (weight.shape[0], weight.shape[2])
    let channels = weight.shape[1] * groups * slices
    let flat = weight.reshaped(to: TensorShape([outputs, weight.shape[1] * slices] + window.kernel[1...]))
    let layer = Convolution(
      weight: flat, bias: bias,
      window: try Window(
        kernel: Array(window.kernel[1...]), strides: Array(window.strides[1...]),
        dilations: Array(window.dilations[1...]),
        padding: .explicit(before: Array(before[1...]), after: Array(after[1...]))), groups: groups)
    var value = x
    if before[0] > 0 || after[0] > 0 {
      value = recipe.apply(Pad(amounts: [before[0], after[0]], axes: [2]), value)
    }
    let padded = value
    // The first slice of each position, then all slices.
    let reach = (slices - 1) * window.dilations[0] + 1
    let depth = recipe.apply(Squeeze(axes: [0]), recipe.apply(ShapeOf(start: 2, end: 3), padded))
    let limit = recipe.apply(Subtract(), depth, integer(reach - 1))
    let first = recipe.apply(RangeOf(), integer(0), limit, integer(window.strides[0]))
    let places = recipe.apply(
      Add(), recipe.apply(Unsqueeze(axes: [1]), first), constant((0..<slices).map { $0 * window.dilations[0] }))
    value = recipe.apply(Gather(axis: 2), padded, places)
    value = recipe.apply(Transpose(order: [0, 2, 1, 3, 4, 5]), value)
    let shape = recipe.apply(Concat(axis: 0), constant([-1, channels]), recipe.apply(ShapeOf(start: 3), padded))
    let result = recipe.apply(layer, recipe.apply(Reshape(extents: .operand(1), allowZero: false), value, shape))
    let extents = recipe.apply(
      Concat(axis: 0), recipe.apply(ShapeOf(end: 1), padded), constant([-1, outputs]),
      recipe.apply(ShapeOf(start: 2), result))
    value = recipe.apply(Reshape(extents: .operand(1), allowZero: false), result, extents)
    recipe.apply(Transpose(order: [0, 2, 1, 3, 4]), value)
  }

  /// A transposed convolution over three axes: a convolution, with flipped weights, of the operand with zeros between
  /// and around its elements.
  func transposedVolumeConvolution(
    _ x: Operand, weight: Tensor, bias: Tensor?, _ window: Window, extra: [Int], groups: Int
  ) throws -> Imported {
    guard case .explicit(let before, let after) = window.padding else {
      throw Unsupported("auto_pad is set for 3 spatial axes; expected pads")
    }
    var recipe = Recipe()
    var value = Recipe.Value.operand(x)
    for (index, stride) in window.strides.enumerated() where stride > 1 {
      let axis = index + 2
      let spread = recipe.apply(
        Pad(amounts: [0, stride - 1], axes: [axis + 1]), recipe.apply(Unsqueeze(axes: [axis + 1]), value))
      var parts = [recipe.apply(ShapeOf(end: axis), value), constant([-1])]
      if axis < 4 { parts.append(recipe.apply(ShapeOf(start: axis + 1), value)) }
      let extents = recipe.apply(Concat(axis: 0), values: parts)
      let joined = recipe.apply(Reshape(extents: .operand(1), allowZero: false), spread, extents)
      // No zeros after the last element.
      value = recipe.apply(Pad(amounts: [0, 1 - stride], axes: [axis]), joined)
    }
    let reach = zip(window.kernel, window.dilations).map { ($0 - 1) * $1 }
    let (first, last) = (
      reach.indices.map { reach[$0] - before[$0] }, reach.indices.map { reach[$0] - after[$0] + extra[$0] }
    )
    value = recipe.apply(Pad(amounts: .fixed(first + last), axes: [2, 3, 4]), value)
    // Inputs × outputs of a group × window become outputs × inputs of a group × flipped window.
    let (inputs, outputs) = (weight.shape[0] / groups, weight.shape[1])
    let size = window.kernel.reduce(1, *)
    let w = weight.elements
    let turned = Tensor(
      shape: TensorShape([outputs * groups, inputs] + window.kernel),
      elements: (0..<weight.count).map { at in
        let (row, input, place) = (at / (inputs * size), at / size % inputs, at % size)
        let (group, output) = (row / outputs, row % outputs)
        return w[((group * inputs + input) * outputs + output) * size + size - 1 - place]
      })
    let plain = try Window(
      kernel: window.kernel, strides: [1, 1, 1], dilations: window.dilations,
      padding: .explicit(before: [0, 0, 0], after: [0, 0, 0]))
    try volumeConvolution(value, weight: turned, bias: bias, plain, groups: groups, in: &recipe)
    return .recipe(recipe)
  }

  private func constant(_ numbers: [Int]) -> Recipe.Value { constant(.integers(IntegerTensor(numbers))) }
  private func integer(_ number: Int) -> Recipe.Value {
    constant(.integers(IntegerTensor(shape: [], elements: [number])))
  }
}

extension Window {
  /// The window over some of the spatial axes. If `padded`, an additional axis is left unchanged.
  fileprivate func over(axes: [Int], padded: Bool = false) throws -> Window {
    func chosen(_ list: [Int], _ neutral: Int) -> [Int] { axes.map { list[$0] } + (padded ? [neutral] : []) }
    let padding: Padding =
      if case .explicit(let before, let after) = padding {
        .explicit(before: chosen(before, 0), after: chosen(after, 0))
      } else { padding }
    return try Window(
      kernel: chosen(kernel, 1), strides: chosen(strides, 1), dilations: chosen(dilations, 1), padding: padding,
      ceilMode: ceilMode)
  }

  /// The pads, explicit if all strides are 1: they then follow from the window alone.
  fileprivate func withKnownPads() -> Padding {
    if case .explicit = padding { return padding }
    guard strides.allSatisfy({ $0 == 1 }) else { return padding }
    let totals = zip(kernel, dilations).map { ($0 - 1) * $1 }
    let (less, more) = (totals.map { $0 / 2 }, totals.map { $0 - $0 / 2 })
    if case .sameUpper = padding { return .explicit(before: less, after: more) }
    return .explicit(before: more, after: less)
  }

  /// Whether the window leaves everything unchanged.
  fileprivate var isTrivial: Bool {
    guard kernel.allSatisfy({ $0 == 1 }), strides.allSatisfy({ $0 == 1 }) else { return false }
    if case .explicit(let before, let after) = padding { return (before + after).allSatisfy { $0 == 0 } }
    return true
  }
}
