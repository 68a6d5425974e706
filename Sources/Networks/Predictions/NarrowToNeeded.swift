import RelevanceTensors

/// Computes only the positions of values that the results depend on.
struct NarrowToNeeded: PredictionPass {
  func apply(to graph: PredictionGraph, _ inferred: [Inferred]) throws -> PredictionGraph {
    let parts = NeededParts(of: graph.graph, for: graph.results, inferred)
    let saves = graph.graph.ids.contains { id in
      let operation = graph.graph[id].operation
      return parts.isPart(id) && (operation is Linear || operation is MatrixProduct)
    }
    guard saves else { return graph }
    var narrowing = Narrowing(graph, inferred, parts)
    return try narrowing.narrowed()
  }
}

/// The construction of a narrowed graph.
private struct Narrowing {
  private let graph: Graph
  private let inferred: [Inferred]
  private let parts: NeededParts
  private var editor: PredictionGraphEditor
  private var slices: [Cut: Node.ID] = [:]

  /// Positions of a node's computed values.
  private struct Cut: Hashable {
    let id: Node.ID
    let part: AxisRange
  }

  init(_ graph: PredictionGraph, _ inferred: [Inferred], _ parts: NeededParts) {
    (self.graph, self.inferred, self.parts) = (graph.graph, inferred, parts)
    editor = PredictionGraphEditor(graph)
  }

  mutating func narrowed() throws -> PredictionGraph {
    for id in graph.ids where parts.needs[id.index] != .nothing || graph[id].operation is Input { compute(id) }
    return try editor.edited()
  }

  private mutating func compute(_ id: Node.ID) {
    let (node, shape) = (graph[id], inferred[id.index].shape)
    let needs = parts.operandNeeds(of: id, in: graph, inferred)
    switch parts.needs[id.index] {
    case .part(let part):
      let operands = zip(node.inputs, needs).map { operand($0, $1) }
      guard node.operation is any Reshaping else { return editor.keep(id, operands: operands) }
      var extents = shape.dimensions
      extents[part.axis] = part.range.count
      editor.keep(id, as: Reshape(to: extents), operands: [operands[0]])
    case .all where !node.inputs.isEmpty && parts.isPart(node.inputs[0]):
      // The operator selects positions, and no others are computed.
      editor.keep(id, as: Reshape(to: shape.dimensions), operands: [operand(node.inputs[0], needs[0])])
    case .all, .nothing: editor.keep(id)
    }
  }

  /// The new node with the needed positions of a node's values.
  private mutating func operand(_ id: Node.ID, _ need: Need) -> Node.ID {
    guard case .part(var part) = need, need != parts.needs[id.index] else { return editor.current(id) }
    if case .part(let computed) = parts.needs[id.index] {
      let first = part.range.lowerBound - computed.range.lowerBound
      part = AxisRange(axis: part.axis, range: first..<first + part.range.count)
    }
    let cut = Cut(id: id, part: part)
    if let slice = slices[cut] { return slice }
    let slice = Slice(starts: [part.range.lowerBound], ends: [part.range.upperBound], axes: [part.axis])
    let new = editor.add(slice, of: id)
    slices[cut] = new
    return new
  }
}

extension Reshape {
  /// A shape without extents to infer.
  init(to extents: [Int]) { self.init(extents: .fixed(extents), allowZero: true) }
}
