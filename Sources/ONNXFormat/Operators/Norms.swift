import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// LpNormalization along an axis, by the sum of magnitudes or the Euclidean norm; 0 stays 0.
  func lpNormalization() throws -> Imported {
    let x = Recipe.Value.operand(try operand(0, "input"))
    let p = try attributes.int("p") ?? 2
    guard [1, 2].contains(p) else { throw Defect("p is \(p); expected 1 or 2") }
    var recipe = Recipe()
    let powers = p == 1 ? recipe.apply(Abs(), x) : recipe.apply(Multiply(), x, x)
    let sum = Reduction(.sum, axes: .fixed([try attributes.int("axis") ?? -1]), keepsAxes: true)
    let sums = recipe.apply(sum, powers)
    let norm = p == 1 ? sums : recipe.apply(Sqrt(), sums)
    recipe.apply(Divide(), x, recipe.apply(Clip(lowest: .leastNormalMagnitude, highest: .infinity), norm))
    return .recipe(recipe)
  }

  /// MeanVarianceNormalization over batch and space, unless `axes` is given (since opset 9).
  func meanVarianceNormalization() throws -> Imported {
    let data = try operand(0, "X")
    var axes = try attributes.ints("axes") ?? [0, 2, 3]
    var scales = true
    if opset < 9 {
      axes = try attributes.flag("across_channels") ? [0, 1, 2, 3] : [0, 2, 3]
      scales = try attributes.flag("normalize_variance", default: true)
    }
    let rank = try rank(of: data, else: "its input has an unknown number of axes; expected a known number")
    let means = Self.neighbors(try distinct(axes, rank: rank)).map { axes in
      Reduction(.mean, axes: .fixed(axes), keepsAxes: true) as any RelevanceNetworks.Operator
    }
    guard !means.isEmpty else { throw Defect("axes is empty; expected at least one axis") }
    let x = Recipe.Value.operand(data)
    var recipe = Recipe()
    let centered = recipe.apply(Subtract(), x, recipe.apply(means, to: x))
    if scales {
      let variance = recipe.apply(means, to: recipe.apply(Multiply(), centered, centered))
      let deviation = recipe.apply(Add(), recipe.apply(Sqrt(), variance), constant(1e-9))
      recipe.apply(Divide(), centered, deviation)
    }
    return .recipe(recipe)
  }

  /// LpPool: the p-th root of the sum of p-th powers of magnitudes in a window.
  func lpPool() throws -> Imported {
    let data = try operand(0, "X")
    let window = try poolingWindow(data)
    guard !window.ceilMode else { throw Unsupported("ceil_mode is 1; expected 0") }
    guard window.kernel.count < 3 else { throw Unsupported("the window has 3 axes; expected 1 or 2") }
    let count = Float(window.kernel.reduce(1, *))
    var recipe = Recipe()
    let powers = try powers(of: data, in: &recipe)
    let means = recipe.apply(AveragePool(window: window, countsPadding: true), powers)
    try root(of: recipe.apply(Multiply(), means, constant(count)), in: &recipe)
    return .recipe(recipe)
  }

  /// GlobalLpPool over all axes except batch and channels.
  func globalLpPool() throws -> Imported {
    let data = try operand(0, "X")
    let rank = try rank(of: data, else: "its input has an unknown number of axes; expected a known number")
    guard rank >= 3 else { throw Defect("input X has \(rank) axes; expected batch × channels × space") }
    var recipe = Recipe()
    let powers = try powers(of: data, in: &recipe)
    try root(of: recipe.apply(Reduction(.sum, axes: .fixed(Array(2..<rank)), keepsAxes: true), powers), in: &recipe)
    return .recipe(recipe)
  }

  /// The exponent, which is a real number in opset 1.
  private func exponent() throws -> Float {
    let p = try opset < 2 ? attributes.float("p") ?? 2 : Float(attributes.int("p") ?? 2)
    guard p >= 1, p.isFinite else { throw Defect("p is \(p); expected a number ≥ 1") }
    return p
  }

  private func powers(of x: Operand, in recipe: inout Recipe) throws -> Recipe.Value {
    let p = try exponent()
    if p == 2 { return recipe.apply(Multiply(), .operand(x), .operand(x)) }
    let magnitude = recipe.apply(Abs(), .operand(x))
    return p == 1 ? magnitude : recipe.apply(Power(), magnitude, constant(p))
  }

  private func root(of sum: Recipe.Value, in recipe: inout Recipe) throws {
    let p = try exponent()
    if p == 2 {
      recipe.apply(Sqrt(), sum)
    } else {
      recipe.apply(Power(), sum, constant(1 / p))
    }
  }
}
