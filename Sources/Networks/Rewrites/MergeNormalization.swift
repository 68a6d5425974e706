import RelevanceTensors

/// Converts `(x − mean) / √(mean of squares + ε)` over the last axes, and a following scale and shift, back to the
/// layer normalization that an exporter decomposed; without the mean, to RMS normalization.
struct MergeNormalization: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let roots = graph.ids.filter { graph[$0].operation is Sqrt || graph[$0].operation is Power }
    // If shapes are unknown, the graph is not changed.
    guard !roots.isEmpty, let input = graph.inputs.first, let shape = (graph[input].operation as? Input)?.shape,
      let inferred = try? graph.inferred(forInput: shape.example())
    else { return graph }
    let pattern = Pattern(graph: graph, consumers: graph.consumers, shapes: inferred.map(\.shape))
    var edits: [Node.ID: Edit] = [:]
    for root in roots {
      guard let found = pattern.normalization(around: root) else { continue }
      edits[found.result] = .change(to: found.operation, inputs: [found.x])
    }
    return try graph.edited(edits)
  }
}

private struct Pattern {
  let graph: Graph
  let consumers: [[Node.ID]]
  let shapes: [TensorShape]

  func normalization(around root: Node.ID) -> (result: Node.ID, x: Node.ID, operation: LayerNormalization)? {
    guard var (sum, isReciprocal) = radicand(of: root), let (mean, epsilon) = summed(sum),
      let (axis, squares) = average(mean), let deviation = squared(squares)
    else { return nil }
    sum = root
    if !isReciprocal, let only = onlyConsumer(of: root), graph[only].operation is Reciprocal || isOneOver(root, only) {
      (sum, isReciprocal) = (only, true)
    }
    guard let quotient = onlyConsumer(of: sum), graph[quotient].inputs.count == 2,
      isReciprocal
        ? graph[quotient].operation is Multiply && graph[quotient].inputs.contains(deviation)
        : graph[quotient].operation is Divide && graph[quotient].inputs == [deviation, sum],
      [sum, root, mean, squares].allSatisfy({ onlyConsumer(of: $0) != nil })
    else { return nil }
    var (x, isCentered) = (deviation, false)
    if graph[deviation].operation is Subtract, let own = average(graph[deviation].inputs[1]), own.axis == axis,
      own.x == graph[deviation].inputs[0], Set(consumers[deviation.index]).isSubset(of: [squares, quotient])
    {
      (x, isCentered) = (own.x, true)
    }
    return completed(quotient, x, axis: axis, epsilon: epsilon, isCentered: isCentered)
  }

  /// The normalization together with the following scale and shift.
  private func completed(
    _ quotient: Node.ID, _ x: Node.ID, axis: Int, epsilon: Float, isCentered: Bool
  ) -> (result: Node.ID, x: Node.ID, operation: LayerNormalization)? {
    let shape = shapes[x.index]
    let own = TensorShape(Array(shape.dimensions[axis...]))
    var result = quotient
    func parameters(_ matches: (any Operator) -> Bool) -> Tensor? {
      guard result != graph.output, let next = onlyConsumer(of: result), matches(graph[next].operation),
        let (operand, constant) = graph.constantsBesideOperands(of: next).first, operand == result,
        constant.shape.rank <= own.rank || constant.shape.dimensions.dropLast(own.rank).allSatisfy({ $0 == 1 }),
        constant.shape.rank <= shape.rank, own.broadcast(with: trailing(constant, own.rank)) == own
      else { return nil }
      result = next
      return constant.reshaped(to: trailing(constant, own.rank)).expanded(to: own)
    }
    let scale = parameters { $0 is Multiply }
    let shift = parameters { $0 is Add }
    // Without a scale, the extents are valid for one image size only.
    let isFixed =
      scale != nil
      || graph.inputs.allSatisfy { id in
        (graph[id].operation as? Input)?.shape.extents.dropFirst().allSatisfy {
          if case .fixed = $0 { true } else { false }
        }
          ?? false
      }
    guard isFixed, axis > 0 else { return nil }
    return (
      result, x,
      LayerNormalization(
        axis: axis - shape.rank, scale: scale ?? Tensor(shape: own, repeating: 1), shift: shift, epsilon: epsilon,
        isCentered: isCentered)
    )
  }

  /// The shape of a constant without its leading axes beyond `rank`.
  private func trailing(_ constant: Tensor, _ rank: Int) -> TensorShape {
    TensorShape(Array(constant.shape.dimensions.suffix(rank)))
  }

  private func onlyConsumer(of id: Node.ID) -> Node.ID? {
    let all = Set(consumers[id.index])
    return all.count == 1 && id != graph.output ? all.first : nil
  }

  private func number(_ id: Node.ID) -> Float? {
    guard let tensor = (graph[id].operation as? Constant)?.tensor, tensor.count == 1 else { return nil }
    return tensor.elements[0]
  }

  private func isOneOver(_ root: Node.ID, _ id: Node.ID) -> Bool {
    graph[id].operation is Divide && graph[id].inputs[1] == root && number(graph[id].inputs[0]) == 1
  }

  /// The operand of the square root, and whether it is a reciprocal root.
  private func radicand(of id: Node.ID) -> (Node.ID, isReciprocal: Bool)? {
    let node = graph[id]
    if node.operation is Sqrt { return (node.inputs[0], false) }
    guard let exponent = number(node.inputs[1]), abs(exponent) == 0.5 else { return nil }
    return (node.inputs[0], exponent < 0)
  }

  /// The operand that ε is added to.
  private func summed(_ id: Node.ID) -> (Node.ID, epsilon: Float)? {
    guard graph[id].operation is Add, onlyConsumer(of: id) != nil else { return nil }
    let inputs = graph[id].inputs
    if let epsilon = number(inputs[1]) { return (inputs[0], epsilon) }
    return number(inputs[0]).map { (inputs[1], $0) }
  }

  /// The first axis of a mean over the last axes, which are kept, and its operand.
  private func average(_ id: Node.ID) -> (axis: Int, x: Node.ID)? {
    guard let mean = graph[id].operation as? Reduction, mean.function == .mean, mean.keepsAxes,
      case .fixed(let axes) = mean.axes, let x = graph[id].inputs.first
    else { return nil }
    let rank = shapes[x.index].rank
    let counted = Set(axes.map { $0 < 0 ? $0 + rank : $0 })
    guard let first = counted.min(), counted == Set(first..<rank) else { return nil }
    return (first, x)
  }

  private func squared(_ id: Node.ID) -> Node.ID? {
    let node = graph[id]
    if node.operation is Multiply, node.inputs[0] == node.inputs[1] { return node.inputs[0] }
    return node.operation is Power && number(node.inputs[1]) == 2 ? node.inputs[0] : nil
  }
}
