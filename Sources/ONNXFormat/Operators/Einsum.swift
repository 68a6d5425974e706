import Foundation
import RelevanceNetworks
import RelevanceTensors

extension NodeReader {
  /// Einsum. Of one operand that depends on the image: diagonals and sums, then a linear layer over the labels that are
  /// summed with a constant, or an elementwise product, between transpositions that arrange the labels. Of several such
  /// operands: products, two at a time.
  func einsum() throws -> Imported {
    let text = try attributes.present(attributes.string("equation"), "equation")
    let all = try allOperands()
    let equation = try Equation(text, ranks: all.map(\.rank))
    let unknown = all.indices.filter { if case .constant = all[$0] { false } else { true } }
    let live = unknown.isEmpty ? [0] : unknown
    let constants = try all.indices.filter { !live.contains($0) }.map { index in
      let constant = try known(all[index], else: "")
      try constant.checkFinite()
      return (labels: equation.inputs[index], value: try constant.floats())
    }
    var recipe = Recipe()
    var (value, labels) = (Recipe.Value.operand(all[live[0]]), equation.inputs[live[0]])
    labels = diagonals(labels, of: &value, in: &recipe)
    // Labels that neither the output nor a later operand has are summed immediately.
    func kept(_ labels: [Character], after place: Int) -> [Character] {
      guard place < live.count - 1 else { return equation.output }
      let wanted = Set(equation.output + live[(place + 1)...].flatMap { equation.inputs[$0] })
      return labels.reduce(into: []) { if wanted.contains($1), !$0.contains($1) { $0.append($1) } }
    }
    let first = kept(labels + constants.flatMap(\.labels), after: 0)
    try apply(constants, to: &value, labels, as: first, in: &recipe, "equation is \(shown(text))")
    labels = first
    for place in live.indices.dropFirst() {
      let other = (Recipe.Value.operand(all[live[place]]), equation.inputs[live[place]])
      let next = kept(labels + other.1, after: place)
      value = product(of: (value, labels), other, as: next, in: &recipe)
      labels = next
    }
    return recipe.steps.isEmpty ? .node(Identity(), [all[live[0]]]) : .recipe(recipe)
  }

  /// The product of a value and constants, with the labels of `output`.
  private func apply(
    _ constants: [(labels: [Character], value: Tensor)], to value: inout Recipe.Value, _ labels: [Character],
    as output: [Character], in recipe: inout Recipe, _ equation: String
  ) throws {
    guard !constants.isEmpty else { return arrange(&value, labels, as: output, in: &recipe) }
    let factor = try LabeledConstant(product: constants, keeping: Set(labels + output), beside: labels)
    let (shared, free) = (labels.filter(factor.labels.contains), factor.labels.filter { !labels.contains($0) })
    guard Set(output).isSubset(of: labels + factor.labels) else {
      throw Defect("\(equation); expected only output labels that an operand has")
    }
    let (summed, batch) = (shared.filter { !output.contains($0) }, shared.filter(output.contains))
    let own = labels.filter { !shared.contains($0) && output.contains($0) }
    if summed.isEmpty {
      // An elementwise product. Labels of the constant alone are last.
      arrange(&value, labels, as: own + batch, in: &recipe)
      if !free.isEmpty {
        let count = own.count + batch.count
        value = recipe.apply(Unsqueeze(axes: Array(count..<count + free.count)), value)
      }
      value = recipe.apply(Multiply(), value, constant(.floats(factor.ordered(batch + free))))
      return arrange(&value, own + batch + free, as: output, in: &recipe)
    }
    let (inner, outer) = (factor.count(summed), factor.count(free))
    guard batch.isEmpty else {
      value = try batched(&recipe, value, labels, factor, (own, batch, summed, free), output)
      return
    }
    arrange(&value, labels, as: own + summed, in: &recipe)
    let copied = [Int](repeating: 0, count: own.count)
    if summed.count > 1 { value = recipe.apply(Reshape(extents: .fixed(copied + [-1]), allowZero: false), value) }
    let weight = factor.ordered(free + summed).reshaped(to: [outer, inner])
    value = recipe.apply(Linear(weight: weight, bias: nil), value)
    if free.count != 1 {
      let extents = free.map { factor.extents[$0] ?? 1 }
      value = recipe.apply(Reshape(extents: .fixed(copied + extents), allowZero: false), value)
    }
    arrange(&value, own + free, as: output, in: &recipe)
  }

  /// A product of two operands that are not constant: a matrix product over the summed labels and the last of each
  /// operand's own labels. The other labels are axes over which matrices repeat. If nothing is summed, it is an
  /// elementwise product.
  private func product(
    of first: (value: Recipe.Value, labels: [Character]), _ second: (value: Recipe.Value, labels: [Character]),
    as output: [Character], in recipe: inout Recipe
  ) -> Recipe.Value {
    var (a, b) = (first.value, second.value)
    let (left, right) = (
      diagonals(first.labels, of: &a, in: &recipe), diagonals(second.labels, of: &b, in: &recipe)
    )
    let batch = left.filter { right.contains($0) && output.contains($0) }
    let summed = left.filter { right.contains($0) && !output.contains($0) }
    let own = (
      a: left.filter { !right.contains($0) && output.contains($0) },
      b: right.filter { !left.contains($0) && output.contains($0) }
    )
    func unsqueezed(_ value: Recipe.Value, _ axes: Range<Int>) -> Recipe.Value {
      axes.isEmpty ? value : recipe.apply(Unsqueeze(axes: Array(axes)), value)
    }
    guard !summed.isEmpty else {
      arrange(&a, left, as: batch + own.a, in: &recipe)
      arrange(&b, right, as: batch + own.b, in: &recipe)
      let (shared, count) = (batch.count, batch.count + own.a.count)
      var value = recipe.apply(
        Multiply(), unsqueezed(a, count..<count + own.b.count), unsqueezed(b, shared..<shared + own.a.count))
      arrange(&value, batch + own.a + own.b, as: output, in: &recipe)
      return value
    }
    // The summed labels are last, joined to one axis. Each operand then has one own axis before it, possibly of extent
    // 1.
    func joined(_ value: inout Recipe.Value, _ labels: [Character], _ own: [Character]) {
      arrange(&value, labels, as: batch + own + summed, in: &recipe)
      let front = batch.count + own.count
      if summed.count > 1 {
        let copied = [Int](repeating: 0, count: front)
        value = recipe.apply(Reshape(extents: .fixed(copied + [-1]), allowZero: false), value)
      }
      if own.isEmpty { value = recipe.apply(Unsqueeze(axes: [front]), value) }
    }
    joined(&a, left, own.a)
    joined(&b, right, own.b)
    let further = (a: own.a.dropLast(), b: own.b.dropLast())
    let rank = batch.count + further.a.count + further.b.count + 2
    a = unsqueezed(a, batch.count + further.a.count..<rank - 2)
    b = unsqueezed(b, batch.count..<batch.count + further.a.count)
    b = recipe.apply(Transpose(order: Self.exchangingLast(rank)), b)
    var value = recipe.apply(MatrixProduct(), a, b)
    let single = [own.a.isEmpty ? rank - 2 : nil, own.b.isEmpty ? rank - 1 : nil].compactMap { $0 }
    if !single.isEmpty { value = recipe.apply(Squeeze(axes: single), value) }
    arrange(&value, batch + further.a + further.b + own.a.suffix(1) + own.b.suffix(1), as: output, in: &recipe)
    return value
  }

  /// Matrix products, one for each index of the labels that operand, constant and output share.
  private func batched(
    _ recipe: inout Recipe, _ value: Recipe.Value, _ labels: [Character], _ factor: LabeledConstant,
    _ groups: (own: [Character], batch: [Character], summed: [Character], free: [Character]), _ output: [Character]
  ) throws -> Recipe.Value {
    var value = value
    // The operand's first label may be the batch and stays in front.
    let front = groups.own.first == labels.first ? Array(groups.own.prefix(1)) : []
    let rows = Array(groups.own.dropFirst(front.count))
    arrange(&value, labels, as: front + groups.batch + rows + groups.summed, in: &recipe)
    let first = front.count + groups.batch.count
    if rows.isEmpty { value = recipe.apply(Unsqueeze(axes: [first]), value) }
    let copied = [Int](repeating: 0, count: first + max(rows.count, 1))
    if groups.summed.count > 1 {
      value = recipe.apply(Reshape(extents: .fixed(copied + [-1]), allowZero: false), value)
    }
    let ones = [Int](repeating: 1, count: max(rows.count - 1, 0))
    let extents =
      groups.batch.map { factor.extents[$0] ?? 1 } + ones + [factor.count(groups.summed), factor.count(groups.free)]
    let matrices = factor.ordered(groups.batch + groups.summed + groups.free).reshaped(to: TensorShape(extents))
    value = try product(of: value, rank: copied.count + 1, by: matrices, in: &recipe).value
    if rows.isEmpty { value = recipe.apply(Squeeze(axes: [first]), value) }
    if groups.free.count != 1 {
      let copied = [Int](repeating: 0, count: first + rows.count)
      let extents = groups.free.map { factor.extents[$0] ?? 1 }
      value = recipe.apply(Reshape(extents: .fixed(copied + extents), allowZero: false), value)
    }
    arrange(&value, front + groups.batch + rows + groups.free, as: output, in: &recipe)
    return value
  }

  /// Sums over all labels except the wanted ones, and orders these.
  private func arrange(
    _ value: inout Recipe.Value, _ labels: [Character], as wanted: [Character], in recipe: inout Recipe
  ) {
    let summed = labels.indices.filter { !wanted.contains(labels[$0]) }
    let rest = labels.filter(wanted.contains)
    if !summed.isEmpty {
      value = recipe.apply(Reduction(.sum, axes: .fixed(summed), keepsAxes: false), value)
    }
    if rest != wanted { value = recipe.apply(Transpose(order: wanted.map { rest.firstIndex(of: $0)! }), value) }
  }

  /// Takes the diagonal if a label occurs twice: every (n + 1)th element of the n · n elements of both axes.
  private func diagonals(
    _ labels: [Character], of value: inout Recipe.Value, in recipe: inout Recipe
  ) -> [Character] {
    var labels = labels
    while let second = labels.indices.first(where: { labels[..<$0].contains(labels[$0]) }) {
      let first = labels.firstIndex(of: labels[second])!
      let others = labels.indices.filter { $0 != first && $0 != second }
      let extent = recipe.apply(ShapeOf(start: first, end: first + 1), value)
      let turned = recipe.apply(Transpose(order: others + [first, second]), value)
      // The number of elements of a square, so that other shapes are rejected.
      let square = recipe.apply(Multiply(), extent, extent)
      let copied = constant(.integers(IntegerTensor([Int](repeating: 0, count: others.count))))
      let extents = others.isEmpty ? square : recipe.apply(Concat(axis: 0), copied, square)
      let flat = recipe.apply(Reshape(extents: .operand(1), allowZero: false), turned, extents)
      let step = recipe.apply(Add(), extent, constant(.integers(IntegerTensor([1]))))
      let slice = Slice(starts: [0], ends: [Int(Int32.max)], axes: .fixed([others.count]), steps: .operand(1))
      value = recipe.apply(slice, flat, step)
      labels = others.map { labels[$0] } + [labels[first]]
    }
    return labels
  }
}
