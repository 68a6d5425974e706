import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// MatMul by one or several constant matrices on either side: a linear layer without a bias, or a convolution with
  /// one group per matrix. With two operands that are not constant it is a matrix product.
  func matrixProduct() throws -> Imported {
    let (a, b) = (try operand(0, "A"), try operand(1, "B"))
    if case .constant(let left) = a, case .node = b { return try product(of: left, and: b) }
    guard case .constant(let right) = b else { return .node(MatrixProduct(), [a, b]) }
    let matrices = try factor(right, "B")
    if matrices.shape.rank == 2 {
      return .node(Linear(weight: try right.transposedFloats(), bias: nil), [a])
    }
    var recipe = Recipe()
    let rank = try rank(
      of: a, else: "A has an unknown number of axes and B has shape \(right.shape); expected a known number")
    if matrices.shape.rank == 1 {
      let row = matrices.reshaped(to: [1, matrices.count])
      let product = recipe.apply(Linear(weight: row, bias: nil), .operand(a))
      recipe.apply(Squeeze(axes: [-1]), product)
    } else if rank == 1 {
      let row = recipe.apply(Unsqueeze(axes: [0]), .operand(a))
      recipe.apply(Squeeze(axes: [-2]), try product(of: row, rank: 2, by: matrices, in: &recipe).value)
    } else {
      _ = try product(of: .operand(a), rank: rank, by: matrices, in: &recipe)
    }
    return .recipe(recipe)
  }

  /// A constant times a value that depends on the image, `A·B = (Bᵀ·Aᵀ)ᵀ`.
  private func product(of left: ConstantTensor, and b: Operand) throws -> Imported {
    var a = try factor(left, "A")
    let isRow = a.shape.rank == 1
    if isRow { a = a.reshaped(to: [1, a.count]) }
    a = a.transposed(Self.exchangingLast(a.shape.rank))
    let rank = try rank(
      of: b, else: "B has an unknown number of axes and A has shape \(left.shape); expected a known number")
    var recipe = Recipe()
    if rank == 1 {
      let row = recipe.apply(Unsqueeze(axes: [0]), .operand(b))
      let (product, _) = try product(of: row, rank: 2, by: a, in: &recipe)
      recipe.apply(Squeeze(axes: isRow ? [-2, -1] : [-2]), product)
      return .recipe(recipe)
    }
    let turned = recipe.apply(Transpose(order: Self.exchangingLast(rank)), .operand(b))
    let (product, result) = try product(of: turned, rank: rank, by: a, in: &recipe)
    let back = recipe.apply(Transpose(order: Self.exchangingLast(result)), product)
    if isRow { recipe.apply(Squeeze(axes: [-2]), back) }
    return .recipe(recipe)
  }

  /// The elements of a constant factor, all finite.
  private func factor(_ tensor: ConstantTensor, _ label: String) throws -> Tensor {
    try tensor.checkFinite()
    guard tensor.shape.rank >= 1, tensor.shape.count > 0 else {
      throw Defect("\(label), \(shown(tensor.name)), has shape \(tensor.shape); expected a vector or matrices")
    }
    return try tensor.floats()
  }

  /// The order that exchanges the last two of `rank` axes.
  static func exchangingLast(_ rank: Int) -> [Int] { Array(0..<rank - 2) + [rank - 1, rank - 2] }

  /// The products of matrices, along the last two of `rank` axes, with constant matrices.
  func product(
    of x: Recipe.Value, rank: Int, by matrices: Tensor, in recipe: inout Recipe
  ) throws -> (value: Recipe.Value, rank: Int) {
    let (k, n) = (matrices.shape[-2], matrices.shape[-1])
    let leading = Array(matrices.shape.dimensions.dropLast(2))
    let count = leading.reduce(1, *)
    let result = max(rank, leading.count + 2)
    guard count > 1 else {
      let new = Array(0..<result - rank)
      let value = new.isEmpty ? x : recipe.apply(Unsqueeze(axes: new), x)
      return (
        recipe.apply(Linear(weight: matrices.reshaped(to: [k, n]).transposed([1, 0]), bias: nil), value), result
      )
    }
    // One group of a convolution for each matrix. The operand's first own axis may be the batch; its other own axes
    // join the rows.
    let groups = leading.indices.filter { leading[$0] > 1 }.map { $0 + result - leading.count - 2 }
    let free = (0..<result - 2).filter { !groups.contains($0) }
    let extents = groups.map { matrices.shape[$0 - result + matrices.shape.rank] }
    let whole = recipe.apply(Expand(), x, constant(.integers(IntegerTensor(leading + [1, 1]))))
    // Counts the additional axis in front if there is none for the batch.
    let shift = free.isEmpty ? 1 : 0
    let batched = free.isEmpty ? recipe.apply(Unsqueeze(axes: [0]), whole) : whole
    let further = free.dropFirst()
    let order =
      [free.first ?? 0] + groups.map { $0 + shift } + [result - 1 + shift] + further + [result - 2 + shift]
    let weight = matrices.reshaped(to: [count, k, n]).transposed([0, 2, 1]).reshaped(to: [count * n, k, 1])
    let layer = Convolution(weight: weight, bias: nil, window: try Window(kernel: [1]), groups: count)
    var products = recipe.apply(
      [Transpose(order: order), Reshape(extents: .fixed([0, count * k, -1]), allowZero: false), layer], to: batched)
    if further.isEmpty {
      products = recipe.apply(Reshape(extents: .fixed([0] + extents + [n, -1]), allowZero: false), products)
    } else {
      let known = constant(.integers(IntegerTensor([0] + extents + [n])))
      let own = further.map { recipe.apply(ShapeOf(start: $0, end: $0 + 1), batched) }
      let all = recipe.apply(Concat(axis: 0), values: [known] + own + [constant(.integers(IntegerTensor([-1])))])
      products = recipe.apply(Reshape(extents: .operand(1), allowZero: false), products, all)
    }
    // The original order, except that the last two axes are exchanged.
    products = recipe.apply(Transpose(order: (0..<result + shift).map { order.firstIndex(of: $0)! }), products)
    return (free.isEmpty ? recipe.apply(Squeeze(axes: [0]), products) : products, result)
  }

  /// Gemm, `Y = α·op(A)·op(B) + β·C` with constant A or B: a linear layer whose parameters include α and, if it is one
  /// number per output, β·C.
  func gemm() throws -> Imported {
    let (a, b) = (try operand(0, "A"), try operand(1, "B"))
    try expect(a, rank: 2, "A")
    try expect(b, rank: 2, "B")
    let (turnsA, turnsB) = (try attributes.flag("transA"), try attributes.flag("transB"))
    let alpha = try attributes.float("alpha") ?? 1
    let beta = try attributes.float("beta") ?? 1
    let summand = beta == 0 ? nil : optionalOperand(2)
    var isLeft = false
    switch (a, b) {
    case (.constant, .node): isLeft = true
    case (_, .node): return product(of: a, turnsA, and: b, turnsB, alpha: alpha, summand: summand, beta: beta)
    default: break
    }
    let factor = try isLeft ? weights(0, "A") : weights(1, "B")
    guard factor.shape.rank == 2, factor.shape.count > 0 else {
      throw Defect("\(isLeft ? "A" : "B"), \(shown(factor.name)), has shape \(factor.shape); expected a matrix")
    }
    // Rows are outputs: the rows of op(A), or of op(B)ᵀ.
    var weight = try (isLeft ? !turnsA : turnsB) ? factor.floats() : factor.transposedFloats()
    if alpha != 1 { weight = try weight.map { alpha * $0 }.checkedFinite("alpha·\(isLeft ? "A" : "B")") }
    var bias: Tensor?
    if !isLeft, case .constant(let c)? = summand { bias = try onePerOutput(c, outputs: weight.shape[0]) }
    let isAdded = bias == nil && summand != nil
    if beta != 1 { bias = try bias?.map { beta * $0 }.checkedFinite("beta·C") }
    if !isLeft, !turnsA, !isAdded { return .node(Linear(weight: weight, bias: bias), [a]) }
    var recipe = Recipe()
    var value = Recipe.Value.operand(isLeft ? b : a)
    if isLeft ? !turnsB : turnsA { value = recipe.apply(Transpose(order: [1, 0]), value) }
    value = recipe.apply(Linear(weight: weight, bias: bias), value)
    if isLeft { value = recipe.apply(Transpose(order: [1, 0]), value) }
    if isAdded, let summand {
      let c = Recipe.Value.operand(summand)
      recipe.apply(Add(), value, beta == 1 ? c : recipe.apply(Multiply(), c, constant(beta)))
    }
    return .recipe(recipe)
  }

  /// Gemm of two operands that are not constant: a scaled matrix product plus a summand.
  private func product(
    of a: Operand, _ turnsA: Bool, and b: Operand, _ turnsB: Bool, alpha: Float, summand: Operand?, beta: Float
  ) -> Imported {
    var recipe = Recipe()
    func turned(_ operand: Operand, _ isTurned: Bool) -> Recipe.Value {
      isTurned ? recipe.apply(Transpose(order: [1, 0]), .operand(operand)) : .operand(operand)
    }
    var value = recipe.apply(MatrixProduct(), turned(a, turnsA), turned(b, turnsB))
    if alpha != 1 { value = recipe.apply(Multiply(), value, constant(alpha)) }
    if let summand {
      let c = Recipe.Value.operand(summand)
      recipe.apply(Add(), value, beta == 1 ? c : recipe.apply(Multiply(), c, constant(beta)))
    }
    return .recipe(recipe)
  }

  /// C of Gemm as one number per output; nil if its rows differ.
  private func onePerOutput(_ c: ConstantTensor, outputs: Int) throws -> Tensor? {
    let (rows, columns) = (c.shape.rank == 2 ? c.shape[0] : 1, c.shape.dimensions.last ?? 1)
    guard c.shape.rank <= 2, rows > 0, columns == 1 || columns == outputs else {
      throw Defect("C, \(shown(c.name)), has shape \(c.shape); expected \(outputs) numbers, one per output")
    }
    try c.checkFinite()
    guard rows == 1 else { return nil }
    let values = try c.floats()
    return values.count == outputs
      ? values.reshaped(to: [outputs]) : Tensor(shape: [outputs], repeating: values.elements[0])
  }
}

extension MatrixProduct: WritableOperator {
  var writtenName: String { "MatMul" }
}
