/// Neighboring channels of a node's output of one kind: probabilities of one sigmoid or softmax, or anything else.
///
/// Detectors join them along one axis: boxes, an objectness, classes.
struct ScorePiece: Hashable {
  enum Kind: Hashable {
    /// Independent probabilities.
    case sigmoid
    /// Probabilities of alternatives.
    case softmax
    /// Not known to be probabilities.
    case other
  }

  let kind: Kind
  var count: Int
  /// The number of channels of the same sigmoid or softmax before the first channel.
  var offset = 0
}

/// The channels along an axis that are scores of classes.
struct ClassChannels {
  let axis: Int
  let classes: Range<Int>
  /// The channel of the objectness.
  var objectness: Int?
  let kind: ScorePiece.Kind
}

/// Finds the pieces that outputs are joined from.
struct ScorePieces {
  private struct Place: Hashable {
    let id: Node.ID
    let axis: Int
  }

  private let graph: Graph
  private let inferred: [Inferred]
  private var known: [Place: [ScorePiece]] = [:]
  /// Detectors join a few pieces; a graph may join any number.
  private static let mostPieces = 64

  init(_ graph: Graph, _ inferred: [Inferred]) { (self.graph, self.inferred) = (graph, inferred) }

  /// The pieces of a node's output along an axis, in order.
  mutating func along(_ axis: Int, of id: Node.ID) -> [ScorePiece] {
    let place = Place(id: id, axis: axis)
    if let found = known[place] { return found }
    let extent = inferred[id.index].shape[axis]
    var found = pieces(axis, id, extent) ?? [ScorePiece(kind: .other, count: extent)]
    if found.count > Self.mostPieces { found = [ScorePiece(kind: .other, count: extent)] }
    known[place] = found
    return found
  }

  private mutating func pieces(_ axis: Int, _ id: Node.ID, _ extent: Int) -> [ScorePiece]? {
    let node = graph[id]
    let shape = inferred[id.index].shape
    if graph.sigmoidOperand(id) != nil { return [ScorePiece(kind: .sigmoid, count: extent)] }
    if let (_, softmax) = graph.softmaxOperand(id) {
      let own = softmax.axis < 0 ? softmax.axis + shape.rank : softmax.axis
      return own == axis && !softmax.isLogarithm ? [ScorePiece(kind: .softmax, count: extent)] : nil
    }
    let operands = node.inputs.map { inferred[$0.index] }
    guard let first = node.inputs.first, let origin = try? node.operation.origin(of: operands) else { return nil }
    if let source = source(axis, id, origin) { return along(source.axis, of: first).part(source.range) }
    switch origin {
    case .joined(let joint) where joint == axis: return node.inputs.flatMap { along(axis, of: $0) }
    case .joined:
      let parts = Set(node.inputs.map { along(axis, of: $0) })
      return parts.count == 1 ? parts.first : nil
    case .elementwise where node.operation is Clip:
      let before = along(axis, of: first)
      return before.contains { $0.kind == .other } ? nil : before
    case .elementwise where node.operation is Multiply:
      // A product of probabilities is a probability: the probability of an object times that of its class.
      let parts = node.inputs.map { inferred[$0.index].shape.rank == shape.rank ? along(axis, of: $0) : [] }
      let areProbabilities = parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0.kind != .other } }
      return areProbabilities ? [ScorePiece(kind: .sigmoid, count: extent)] : nil
    default: return nil
    }
  }

  /// The axis of the first operand that an axis of a node's output is a part of, and the part; nil if the node does
  /// more than move values.
  private func source(_ axis: Int, _ id: Node.ID, _ origin: Origin) -> (axis: Int, range: Range<Int>)? {
    let shape = inferred[id.index].shape
    switch origin {
    case .selection(let selection): return selection.range(along: axis).map { ($0.source, $0.indices) }
    case .sameOrder:
      let before = inferred[graph[id].inputs[0].index].shape
      return before.dimensions.indices.first {
        before[$0] == shape[axis] && origin.axis($0, from: before, to: shape) == axis
      }.map { ($0, 0..<shape[axis]) }
    case .elementwise where graph[id].operation.keepsElements: return (axis, 0..<shape[axis])
    default: return nil
    }
  }

  /// Marks the nodes that some neighboring channels of a node's output depend on.
  func mark(_ range: Range<Int>, along axis: Int, of id: Node.ID, in marks: inout [Bool]) {
    // A node that is reached a second time is marked completely. This may be too much, and keeps the search short.
    if marks[id.index] { return markAll(before: id, in: &marks) }
    marks[id.index] = true
    let node = graph[id]
    let origin = try? node.operation.origin(of: node.inputs.map { inferred[$0.index] })
    if let origin, let source = source(axis, id, origin) {
      let own = range.lowerBound + source.range.lowerBound..<range.upperBound + source.range.lowerBound
      return mark(own, along: source.axis, of: node.inputs[0], in: &marks)
    }
    if case .joined(let joint)? = origin {
      var start = 0
      for input in node.inputs {
        let extent = inferred[input.index].shape[axis]
        let own = joint == axis ? (start..<start + extent).clamped(to: range) : range
        if joint == axis { start += extent }
        guard !own.isEmpty else { continue }
        let first = joint == axis ? start - extent : 0
        mark(own.lowerBound - first..<own.upperBound - first, along: axis, of: input, in: &marks)
      }
      return
    }
    markAll(before: id, in: &marks)
  }

  private func markAll(before id: Node.ID, in marks: inout [Bool]) {
    for (index, isBefore) in graph.nodesBefore(id).enumerated() where isBefore { marks[index] = true }
  }
}

extension [ScorePiece] {
  /// The pieces of some neighboring channels.
  fileprivate func part(_ range: Range<Int>) -> [ScorePiece] {
    var start = 0
    return compactMap { piece in
      let own = (start..<start + piece.count).clamped(to: range)
      defer { start += piece.count }
      guard !own.isEmpty else { return nil }
      return ScorePiece(kind: piece.kind, count: own.count, offset: piece.offset + own.lowerBound - start)
    }
  }

  /// The channels of an axis that are scores of classes; nil if they cannot be determined. The number of classes may be
  /// known.
  ///
  /// Boxes are not probabilities, and classes are the majority of the probabilities. A single probability is an
  /// objectness. So is the first one if one sigmoid computes boxes and scores together.
  func classes(along axis: Int, expected: Int?) -> ClassChannels? {
    let starts = reduce(into: [0]) { $0.append($0.last! + $1.count) }
    let scores = indices.filter { self[$0].kind != .other }
    let boxes = scores.count == count ? indices.filter { self[$0].count == 4 } : []
    // If boxes are also probabilities, as shares of the image size, there are four of them.
    guard scores.count < count || count > 1 && boxes.count == 1 else { return nil }
    let candidates = scores.filter { !boxes.contains($0) }
    guard
      let best = candidates.last(where: { self[$0].count == expected })
        ?? candidates.max(by: { (self[$0].count, $0) < (self[$1].count, $1) })
    else { return nil }
    let piece = self[best]
    let range = starts[best]..<starts[best] + piece.count
    let isLed =
      piece.kind == .sigmoid && piece.count > 1 && piece.count != expected
      && (piece.count - 1 == expected || expected == nil && piece.offset > 0)
    if isLed {
      return ClassChannels(
        axis: axis, classes: range.dropFirst(), objectness: range.lowerBound, kind: piece.kind)
    }
    let single = candidates.first { $0 != best && self[$0].kind == .sigmoid && self[$0].count == 1 }
    return ClassChannels(axis: axis, classes: range, objectness: single.map { starts[$0] }, kind: piece.kind)
  }
}

extension Selection {
  /// The operand's axis that an axis of the result runs along, and its neighboring indices; nil if there is none.
  fileprivate func range(along axis: Int) -> (source: Int, indices: Range<Int>)? {
    guard positions == nil, axes.count == output.rank, let source = axes[axis].source,
      let first = axes[axis].indices.first, first >= 0
    else { return nil }
    let range = first..<first + axes[axis].indices.count
    return axes[axis].indices.elementsEqual(range) ? (source, range) : nil
  }
}

extension NeuralNetwork {
  /// The channels of the logits that are scores of classes, if there are other channels beside them.
  func classChannels(_ inferred: [Inferred], offset: Int) -> ClassChannels? {
    let shape = inferred[logits.index].shape
    let axes = shape.dimensions.indices.dropFirst(offset)
    guard axes.count(where: { shape[$0] > 1 }) > 1 else { return nil }
    var pieces = ScorePieces(graph, inferred)
    for axis in axes {
      if let found = pieces.along(axis, of: logits).classes(along: axis - offset, expected: expectedClasses) {
        return found
      }
    }
    // If channels are not known to be probabilities, the number of class names decides.
    guard let expectedClasses, !axes.contains(where: { shape[$0] == expectedClasses }) else { return nil }
    let fitting = axes.filter { [4, 5].contains(shape[$0] - expectedClasses) }
    guard fitting.count == 1, let axis = fitting.first else { return nil }
    return ClassChannels(
      axis: axis - offset, classes: shape[axis] - expectedClasses..<shape[axis],
      objectness: shape[axis] - expectedClasses == 5 ? 4 : nil, kind: .other)
  }

  /// The nodes that only compute channels beside the scores of classes, such as boxes. They receive no relevance of a
  /// class.
  ///
  /// - Complexity: O(nodes and edges) for each joined part of the scores.
  package var nodesBesideClasses: Set<Node.ID> {
    var joint = logits
    while graph[joint].operation.keepsElements || graph[joint].operation is any Selecting {
      joint = graph[joint].inputs[0]
    }
    guard ending.decision == .quantity, graph[joint].operation is Concat,
      let inferred = (try? analysis(forInput: exampleInputShape()))?.inferred
    else { return [] }
    let shape = inferred[logits.index].shape
    let offset = shape.rank > 0 && shape[0] == inferred[input.index].shape.dimensions.first ? 1 : 0
    guard let channels = classChannels(inferred, offset: offset) else { return [] }
    var marks = [Bool](repeating: false, count: graph.nodes.count)
    ScorePieces(graph, inferred).mark(channels.classes, along: channels.axis + offset, of: logits, in: &marks)
    return Set(nodes(reaching: logits).filter { !marks[$0.index] })
  }

  /// The kind of probabilities along an axis of the logits; nil if the axis contains anything else.
  func probabilities(along axis: Int, _ inferred: [Inferred]) -> ScorePiece.Kind? {
    var pieces = ScorePieces(graph, inferred)
    let kinds = Set(pieces.along(axis, of: logits).map(\.kind))
    return kinds.count == 1 && kinds != [.other] ? kinds.first : nil
  }
}
