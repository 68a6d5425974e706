import Foundation
import Networks
import Tensors

extension NodeReader {
  /// Einsum of two operands that depend on the image, or of one and constants: diagonals and sums, then a linear layer over the labels that are
  /// summed with a constant, or a product with it, between transpositions that bring labels in place.
  func einsum() throws -> Imported {
    let text = try attributes.present(attributes.string("equation"), "equation")
    let all = try allOperands()
    let equation = try Equation(text, ranks: all.map(\.rank))
    let unknown = all.indices.filter { if case .constant = all[$0] { false } else { true } }
    if unknown.count == 2, all.count == 2 { return .recipe(product(of: all, equation)) }
    let live = unknown.first ?? 0
    let constants = try all.indices.filter { $0 != live }.map { index in
      let constant = try known(
        all[index],
        else:
          "a product of \(all.count) tensors of which \(unknown.count) depend on the image; expected two, or constants")
      try constant.checkFinite()
      return (labels: equation.inputs[index], value: try constant.floats())
    }
    var recipe = Recipe()
    var value = Recipe.Value.operand(all[live])
    let labels = diagonals(equation.inputs[live], of: &value, in: &recipe)
    let output = equation.output
    guard !constants.isEmpty else {
      arrange(&value, labels, as: output, in: &recipe)
      return recipe.steps.isEmpty ? .node(Identity(), [all[live]]) : .recipe(recipe)
    }
    let factor = try LabeledConstant(product: constants, keeping: Set(labels + output), beside: labels)
    let (shared, free) = (labels.filter(factor.labels.contains), factor.labels.filter { !labels.contains($0) })
    guard Set(output).isSubset(of: labels + factor.labels) else {
      throw Defect("equation is \(shown(text)); its output has labels that no operand has")
    }
    let (summed, batch) = (shared.filter { !output.contains($0) }, shared.filter(output.contains))
    let own = labels.filter { !shared.contains($0) && output.contains($0) }
    if summed.isEmpty {
      // A product element by element; labels of the constant alone come last.
      arrange(&value, labels, as: own + batch, in: &recipe)
      if !free.isEmpty {
        let count = own.count + batch.count
        value = recipe.apply(Unsqueeze(axes: Array(count..<count + free.count)), value)
      }
      value = recipe.apply(Multiply(), value, constant(.floats(factor.ordered(batch + free))))
      arrange(&value, own + batch + free, as: output, in: &recipe)
      return .recipe(recipe)
    }
    let (inner, outer) = (factor.count(summed), factor.count(free))
    guard batch.isEmpty else {
      return try batched(
        &recipe, value, labels, factor, (own, batch, summed, free), output, "equation \(shown(text))")
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
    return .recipe(recipe)
  }

  /// A product of two operands that are not known beforehand: of matrices along the labels that are summed and the last of each operand's
  /// own; the others are axes along which matrices follow one another. Where nothing is summed, it is one element by element.
  private func product(of operands: [Operand], _ equation: Equation) -> Recipe {
    var recipe = Recipe()
    var (a, b) = (Recipe.Value.operand(operands[0]), Recipe.Value.operand(operands[1]))
    let output = equation.output
    let (left, right) = (
      diagonals(equation.inputs[0], of: &a, in: &recipe), diagonals(equation.inputs[1], of: &b, in: &recipe)
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
      return recipe
    }
    // What is summed comes last, as one axis; then each operand has one more axis of its own, if only of extent 1.
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
    return recipe
  }

  /// Products of matrices, one for each index of the labels that are in operand, constant and output.
  private func batched(
    _ recipe: inout Recipe, _ value: Recipe.Value, _ labels: [Character], _ factor: LabeledConstant,
    _ groups: (own: [Character], batch: [Character], summed: [Character], free: [Character]), _ output: [Character],
    _ equation: String
  ) throws -> Imported {
    var value = value
    // What the operand starts with may be the items of a batch, and stays in front.
    let front = groups.own.first == labels.first ? Array(groups.own.prefix(1)) : []
    let rows = Array(groups.own.dropFirst(front.count))
    guard rows.count <= 1 else {
      throw Unsupported("\(equation); expected at most two labels that the operand does not share with the constant")
    }
    arrange(&value, labels, as: front + groups.batch + rows + groups.summed, in: &recipe)
    let first = front.count + groups.batch.count
    if rows.isEmpty { value = recipe.apply(Unsqueeze(axes: [first]), value) }
    let copied = [Int](repeating: 0, count: first + 1)
    if groups.summed.count > 1 {
      value = recipe.apply(Reshape(extents: .fixed(copied + [-1]), allowZero: false), value)
    }
    let extents =
      groups.batch.map { factor.extents[$0] ?? 1 } + [factor.count(groups.summed), factor.count(groups.free)]
    let matrices = factor.ordered(groups.batch + groups.summed + groups.free).reshaped(to: TensorShape(extents))
    value = try product(of: value, rank: first + 2, by: matrices, in: &recipe).value
    if rows.isEmpty { value = recipe.apply(Squeeze(axes: [first]), value) }
    if groups.free.count != 1 {
      let copied = [Int](repeating: 0, count: first + rows.count)
      let extents = groups.free.map { factor.extents[$0] ?? 1 }
      value = recipe.apply(Reshape(extents: .fixed(copied + extents), allowZero: false), value)
    }
    arrange(&value, front + groups.batch + rows + groups.free, as: output, in: &recipe)
    return .recipe(recipe)
  }

  /// Sums over the labels that are not wanted, and orders the others.
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

  /// Where a label occurs twice, takes what has the same index along both axes: every n + 1st element of the n · n of both.
  private func diagonals(
    _ labels: [Character], of value: inout Recipe.Value, in recipe: inout Recipe
  ) -> [Character] {
    var labels = labels
    while let second = labels.indices.first(where: { labels[..<$0].contains(labels[$0]) }) {
      let first = labels.firstIndex(of: labels[second])!
      let others = labels.indices.filter { $0 != first && $0 != second }
      let extent = recipe.apply(ShapeOf(start: first, end: first + 1), value)
      let turned = recipe.apply(Transpose(order: others + [first, second]), value)
      // As many elements as a square has, so that others are refused.
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

/// A constant with a label for each axis.
private struct LabeledConstant {
  let labels: [Character]
  let extents: [Character: Int]
  private let value: Tensor

  /// The product of constants, summed over labels that are not kept. Axes of one element that stand for those of an operand are dropped.
  init(product factors: [(labels: [Character], value: Tensor)], keeping: Set<Character>, beside operand: [Character])
    throws
  {
    var extents: [Character: Int] = [:]
    for (labels, value) in factors {
      for (label, extent) in zip(labels, value.shape.dimensions) where extents[label] ?? 1 == 1 || extent == 1 {
        extents[label] = max(extents[label] ?? 1, extent)
      }
      for (label, extent) in zip(labels, value.shape.dimensions) where extent != 1 && extent != extents[label] {
        throw Defect("label \(label) stands for \(extents[label] ?? 0) elements and for \(extent)")
      }
    }
    let all = factors.flatMap(\.labels).reduce(into: [Character]()) { if !$0.contains($1) { $0.append($1) } }
    let kept = all.filter { keeping.contains($0) && !(extents[$0] == 1 && operand.contains($0)) }
    let order = kept + all.filter { !kept.contains($0) }
    let shape = try TensorShape(checking: order.map { extents[$0] ?? 1 })
    guard shape.count > 0, shape.count <= 1 << 26 else {
      throw Unsupported("a product of constants of \(shape) elements")
    }
    let own = try TensorShape(checking: kept.map { extents[$0] ?? 1 })
    let sums = shape.count / own.count
    var elements = [Float](repeating: 1, count: shape.count)
    for (labels, value) in factors {
      var strides = [Int](repeating: 0, count: order.count)
      for (axis, label) in labels.enumerated() where value.shape[axis] > 1 {
        strides[order.firstIndex(of: label)!] += value.shape.strides[axis]
      }
      value.withUnsafeElements { x in
        StridedWalk(over: shape, strides: strides).forEachElement { at, from, _ in elements[at] *= x[from] }
      }
    }
    if sums > 1 {
      elements = (0..<own.count).map { start in
        Float(elements[start * sums..<(start + 1) * sums].reduce(0.0) { $0 + Double($1) })
      }
    }
    (self.labels, self.extents, self.value) = (kept, extents, Tensor(shape: own, elements: elements))
  }

  func ordered(_ wanted: [Character]) -> Tensor { value.transposed(wanted.map { labels.firstIndex(of: $0)! }) }
  func count(_ labels: [Character]) -> Int { labels.reduce(1) { $0 * (extents[$1] ?? 1) } }
}

/// An equation of Einsum: a label for each axis; those that an ellipsis stands for have digits.
private struct Equation {
  let inputs: [[Character]]
  let output: [Character]

  init(_ text: String, ranks: [Int?]) throws {
    let sides = text.filter { $0 != " " }.components(separatedBy: "->")
    let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let plain = (terms + sides.dropFirst()).map { $0.replacing("...", with: "", maxReplacements: 1) }
    guard sides.count <= 2, terms.count == ranks.count, plain.joined().allSatisfy({ $0.isLetter && $0.isASCII }) else {
      throw Defect("equation is \(shown(text)); expected one term of letters for each of \(ranks.count) operands")
    }
    let further = try zip(zip(terms, plain), ranks).map { term, rank in
      guard term.0.contains("...") else {
        guard rank ?? term.1.count == term.1.count else {
          throw Defect("equation \(shown(text)) does not have the operands' numbers of axes")
        }
        return 0
      }
      guard let rank else {
        throw Unsupported(
          "equation \(shown(text)), whose ellipsis stands for a number of axes that is not known beforehand")
      }
      guard rank >= term.1.count, rank - term.1.count <= 10 else {
        throw Defect("equation \(shown(text)) does not have the operands' numbers of axes")
      }
      return rank - term.1.count
    }
    let most = further.max() ?? 0
    func labels(_ term: String, _ count: Int) -> [Character] {
      Array(term.replacing("...", with: String("0123456789".prefix(most).suffix(count))))
    }
    inputs = zip(terms, further).map(labels)
    // Without an arrow labels that occur once are kept, in the order of the alphabet, behind those of the ellipsis.
    let counts = inputs.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
    output =
      sides.count == 2
      ? labels(sides[1], most) : counts.filter { $0.value == 1 || $0.key.isNumber }.map(\.key).sorted()
    guard Set(output).count == output.count, output.allSatisfy({ counts[$0] != nil }) else {
      throw Defect("equation is \(shown(text)); its output has labels that no operand has, or one of them twice")
    }
  }
}
