import RelevanceTensors

/// Positions along one axis of a value.
struct AxisRange: Hashable {
  let axis: Int
  let range: Range<Int>
}

/// The part of a node's values that the results depend on.
enum Need: Equatable {
  case nothing
  case part(AxisRange)
  case all

  /// The need of two users; positions between theirs are included.
  static func + (a: Need, b: Need) -> Need {
    switch (a, b) {
    case (.nothing, let other), (let other, .nothing): return other
    case (.part(let a), .part(let b)) where a.axis == b.axis:
      let (first, last) = (a.range.lowerBound, a.range.upperBound)
      return .part(
        AxisRange(axis: a.axis, range: min(first, b.range.lowerBound)..<max(last, b.range.upperBound)))
    default: return .all
    }
  }
}

/// What the results of a graph need of each node's values, if at most half of the positions along an axis are needed.
///
/// The last layers of a vision transformer compute all tokens, but a classifier often reads the class token only.
struct NeededParts {
  /// The need for each node; all for nodes that can only be computed as a whole.
  private(set) var needs: [Need]

  /// - Complexity: O(nodes and edges).
  init(of graph: Graph, for results: [Node.ID], _ inferred: [Inferred]) {
    needs = Array(repeating: .nothing, count: graph.nodes.count)
    for id in results { needs[id.index] = .all }
    for id in graph.ids.reversed() where needs[id.index] != .nothing {
      if case .part(let part) = needs[id.index] {
        let (shape, operation) = (inferred[id.index].shape, graph[id].operation)
        let operands = graph[id].inputs.map { inferred[$0.index] }
        if 2 * part.range.count > shape[part.axis] || shape.count == 0
          || operation.needs(for: part, operands, shape) == nil
        {
          needs[id.index] = .all
        }
      }
      for (operand, need) in zip(graph[id].inputs, operandNeeds(of: id, in: graph, inferred)) {
        needs[operand.index] = needs[operand.index] + need
      }
    }
  }

  func isPart(_ id: Node.ID) -> Bool { if case .part = needs[id.index] { true } else { false } }

  /// What a node needs of its operands.
  func operandNeeds(of id: Node.ID, in graph: Graph, _ inferred: [Inferred]) -> [Need] {
    let operation = graph[id].operation
    let operands = graph[id].inputs.map { inferred[$0.index] }
    switch needs[id.index] {
    case .nothing: return operands.map { _ in .nothing }
    case .part(let part): return operation.needs(for: part, operands, inferred[id.index].shape)!
    case .all:
      var needs = [Need](repeating: .all, count: operands.count)
      if let part = operation.selectedRange(of: operands) { needs[0] = .part(part) }
      return needs
    }
  }
}

extension Operator {
  /// What the operator needs of its operands for a part of its output; nil if it cannot compute the part alone.
  fileprivate func needs(for part: AxisRange, _ operands: [Inferred], _ output: TensorShape) -> [Need]? {
    guard computesPartsAlike, let origin = try? origin(of: operands) else { return nil }
    var needs: [Need] = []
    for (place, operand) in operands.enumerated() {
      guard let need = origin.need(for: part, of: output, place, operands.map(\.shape)) else { return nil }
      // The indices are those of the whole axis.
      if let gather = self as? Gather, case .part(let own) = need, place == 0,
        own.axis == gather.axis || own.axis == gather.axis + operand.shape.rank
      {
        return nil
      }
      needs.append(operand.literal != nil && place > 0 && takesLists ? .all : need)
    }
    return needs
  }

  /// Whether no parameter of the operator belongs to certain positions along an axis that it does not mix.
  private var computesPartsAlike: Bool {
    switch self {
    case is any ElementwiseFunction, is any PairwiseFunction, is any Reshaping, is Linear, is LayerNormalization,
      is Softmax, is MatrixProduct, is Concat, is Transpose, is Gather, is Slice, is Part:
      true
    default: false
    }
  }

  /// The positions of the first operand that the operator selects, if they are neighbors along one axis, and it selects
  /// all positions along the other axes.
  fileprivate func selectedRange(of operands: [Inferred]) -> AxisRange? {
    guard self is Gather || self is Slice || self is Part,
      let selection = try? (self as? any Selecting)?.selection(of: operands)
    else { return nil }
    let partial = selection.axes.filter { $0.source.map { !selection.isWhole(along: $0) } ?? true }
    guard partial.count == 1, let axis = partial[0].source, let first = partial[0].indices.first,
      partial[0].indices == Array(first..<first + partial[0].indices.count), first >= 0
    else { return nil }
    return AxisRange(axis: axis, range: first..<first + partial[0].indices.count)
  }
}

extension Selection {
  /// Whether exactly one axis of the result runs along an axis of the operand, with all positions in order.
  fileprivate func isWhole(along source: Int) -> Bool {
    let along = axes.filter { $0.source == source }
    return along.count == 1 && along[0].indices == Array(0..<input[source])
  }
}

extension Origin {
  /// What an operator with this origin needs of an operand for a part of its output; nil if the part cannot be computed
  /// from a part of the operands.
  fileprivate func need(for part: AxisRange, of output: TensorShape, _ place: Int, _ operands: [TensorShape]) -> Need? {
    let operand = operands[place]
    switch self {
    case .elementwise:
      let axis = part.axis - output.rank + operand.rank
      return axis >= 0 && operand[axis] == output[part.axis]
        ? .part(AxisRange(axis: axis, range: part.range)) : .all
    case .sameOrder:
      guard place == 0 else { return .all }
      return output.sameAxis(part.axis, in: operand).map { .part(AxisRange(axis: $0, range: part.range)) }
    case .selection(let selection):
      guard place == 0 else { return .all }
      let extents = TensorShape(selection.axes.map(\.indices.count))
      guard selection.positions == nil, let own = output.sameAxis(part.axis, in: extents),
        let source = selection.axes[own].source, selection.isWhole(along: source)
      else { return nil }
      return .part(AxisRange(axis: source, range: part.range))
    case .joined(let axis): return axis == part.axis ? nil : .part(part)
    case .mixed(let axes):
      return place == 0 && !axes.contains(part.axis) && operand.rank == output.rank ? .part(part) : nil
    case .reduced: return nil
    case .matrixProduct:
      guard operands[0].rank > 1, operands[1].rank > 1 else { return nil }
      let axis = part.axis - output.rank + operand.rank
      // Rows belong to the left operand and columns to the right one.
      if part.axis == output.rank - 2 + (1 - place) { return .all }
      return axis >= 0 && operand[axis] == output[part.axis]
        ? .part(AxisRange(axis: axis, range: part.range)) : .all
    }
  }
}

extension TensorShape {
  /// The axis along which another shape of the same elements has the same positions.
  fileprivate func sameAxis(_ axis: Int, in other: TensorShape) -> Int? {
    let (distance, strides) = (strides[axis], other.strides)
    return other.dimensions.indices.first { other[$0] == self[axis] && strides[$0] == distance }
  }
}
