import RelevanceNetworks

extension NodeReader {
  /// ReduceSum, ReduceMax, ReduceMin, ReduceProd. The axes are an input from opset `since` on.
  func reduction(_ function: Reduction.Function, axesAreInputSince since: Int) throws -> Imported {
    let (reduction, taken) = try reductionAndOperands(function, axesAreInputSince: since)
    return reduction.map { .node($0, taken) } ?? .node(Identity(), [taken[0]])
  }

  /// The reduction and its operands: the data, and possibly axes that follow from shapes. Nil if nothing is reduced.
  private func reductionAndOperands(
    _ function: Reduction.Function, axesAreInputSince since: Int
  ) throws -> (Reduction?, [Operand]) {
    var taken = [try operand(0, "data")]
    var axes = try list("axes", inputSince: since, input: 1, in: &taken)
    if axes == nil || axes == .fixed([]) {
      if try attributes.flag("noop_with_empty_axes") { return (nil, taken) }
      axes = nil
    }
    // Counted from the front if the number of axes is known, so that equal reductions have equal axes.
    if case .fixed(let numbers) = axes, let rank = taken[0].rank {
      axes = .fixed(numbers.map { $0 < 0 ? $0 + rank : $0 })
    }
    return (Reduction(function, axes: axes, keepsAxes: try attributes.flag("keepdims", default: true)), taken)
  }

  /// A sum with a function applied to its terms and to its result.
  enum ComposedReduction {
    case magnitudes, length, squares, logarithm, logarithmOfExponentials
  }

  /// ReduceL1, ReduceL2, ReduceSumSquare, ReduceLogSum, ReduceLogSumExp.
  func composedReduction(_ function: ComposedReduction) throws -> Imported {
    let (sum, taken) = try reductionAndOperands(.sum, axesAreInputSince: 18)
    var recipe = Recipe()
    let x = Recipe.Value.operand(taken[0])
    func reduced(_ value: Recipe.Value, _ reduction: Reduction? = sum) -> Recipe.Value {
      guard let reduction else { return value }
      return recipe.apply(reduction, values: [value] + taken.dropFirst().map { .operand($0) })
    }
    switch function {
    case .magnitudes: _ = reduced(recipe.apply(Abs(), x))
    case .length: recipe.apply(Sqrt(), reduced(recipe.apply(Multiply(), x, x)))
    case .squares: _ = reduced(recipe.apply(Multiply(), x, x))
    case .logarithm: recipe.apply(Log(), reduced(x))
    case .logarithmOfExponentials:
      // The maximum is subtracted first, so that the exponentials stay finite.
      guard let sum else { return .node(Identity(), [taken[0]]) }
      let largest = reduced(x, Reduction(.maximum, axes: sum.axes, keepsAxes: true))
      let shifted = recipe.apply(Exp(), recipe.apply(Subtract(), x, largest))
      let logarithm = recipe.apply(Log(), reduced(shifted))
      let largestAsKept = sum.keepsAxes ? largest : reduced(x, Reduction(.maximum, axes: sum.axes, keepsAxes: false))
      recipe.apply(Add(), logarithm, largestAsKept)
    }
    return .recipe(recipe)
  }

  /// Mean of any number of operands.
  func mean() throws -> Imported {
    let all = try allOperands()
    guard let first = all.first else { throw Defect("it has no inputs; expected at least 1") }
    guard all.count > 1 else { return .node(Identity(), [first]) }
    var recipe = Recipe()
    let sum = all.dropFirst().reduce(Recipe.Value.operand(first)) { recipe.apply(Add(), $0, .operand($1)) }
    recipe.apply(Divide(), sum, constant(Float(all.count)))
    return .recipe(recipe)
  }

  /// ReduceMean: axes are an input since opset 18. Without axes it covers all of them, unless `noop_with_empty_axes` is
  /// set.
  func reduceMean() throws -> Imported {
    let data = try operand(0, "data")
    var axes = try integers("axes", inputSince: 18, input: 1) ?? []
    if axes.isEmpty {
      if try attributes.flag("noop_with_empty_axes") { return .node(Identity(), [data]) }
      let rank = try rank(
        of: data, else: "it has no axes and its input has an unknown number of axes; expected axes")
      axes = Array(0..<rank)
    }
    let keepsAxes = try attributes.flag("keepdims", default: true)
    let distinct = try distinct(axes, rank: data.rank)
    let runs = Self.neighbors(distinct)
    guard runs.count > 1, data.rank != nil else {
      return .node(Reduction(.mean, axes: .fixed(distinct), keepsAxes: keepsAxes), [data])
    }
    let means = runs.map { Reduction(.mean, axes: .fixed($0), keepsAxes: true) as any RelevanceNetworks.Operator }
    return .sequence(means + (keepsAxes ? [] : [Squeeze(axes: distinct)]), data)
  }

  /// Axes in runs of neighbors. The mean over all axes is the mean over each run, one after the other.
  static func neighbors(_ axes: [Int]) -> [[Int]] {
    axes.sorted().reduce(into: []) { runs, axis in
      if let last = runs.last?.last, last == axis - 1 {
        runs[runs.count - 1].append(axis)
      } else {
        runs.append([axis])
      }
    }
  }

  /// GlobalAveragePool and GlobalMaxPool, over all axes except batch and channels.
  func globalPool(_ function: Reduction.Function) throws -> Imported {
    let x = try operand(0, "X")
    let rank = try rank(of: x, else: "its input has an unknown number of axes; expected a known number")
    guard rank >= 3 else { throw Defect("input X has \(rank) axes; expected batch × channels × space") }
    return .node(Reduction(function, axes: .fixed(Array(2..<rank)), keepsAxes: true), [x])
  }
}

extension Reduction: WritableOperator {
  /// GlobalAveragePool, GlobalMaxPool, or a reduction with axes as an input.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let rank = file.rank(ofOperandOf: id)
    let input = file.inputs(of: id)[0]
    var axes = axes
    if case .fixed(let numbers) = axes, let pool = [.mean: "GlobalAveragePool", .maximum: "GlobalMaxPool"][function] {
      let sorted = numbers.map { $0 < 0 ? $0 + rank : $0 }.sorted()
      if keepsAxes, rank >= 3, file.kinds[id.index] == .real, sorted == Array(2..<rank) {
        return file.finish(id, WrittenNode(pool, [input]))
      }
      if function == .mean { axes = .fixed(sorted) }
    }
    if function != .sum { file.require(opset: 18) }
    let operands = [input, file.list(axes, "axes", of: id)]
    file.finish(id, WrittenNode(function.kind.name, operands, [("keepdims", .flag(keepsAxes))]))
  }
}
