import RelevanceTensors

/// The placement of the items of a batch in a node's output.
package enum ItemLayout: Hashable, Sendable {
  /// The first axis is the batch: index `i` depends only on input `i`.
  case items
  /// The items follow one another, but the first axis is not the batch: for example, views are folded into the batch,
  /// or the batch axis was dropped and the first axis counts classes.
  case folded
  /// The elements of an item are separated: the batch is not the first axis, or it is part of another axis. Element `p`
  /// belongs to item `p / distance % items`.
  case apart(distance: Int)
  /// Some part of the output depends on several items.
  case mixed
}

/// The treatment of a batch by the nodes between an input and an output.
package enum Batching: Hashable, Sendable {
  /// The items are independent. If every first axis is the batch, several targets of each item can share a backward
  /// pass as additional items.
  case items(Int, sharesWalks: Bool)
  /// From this node on, items are mixed.
  case mixed(Node.ID)
}

extension NeuralNetwork {
  /// The treatment of the batch on the way to the logits. Backward passes are shared only if this is possible from all
  /// kept outputs.
  package func batching(_ inferred: [Inferred]) -> Batching {
    let own = batching(before: logits, inferred)
    guard case .items(let items, true) = own else { return own }
    return .items(
      items,
      sharesWalks: graph.keptOutputs.allSatisfy {
        batching(before: $0.node, inferred) == .items(items, sharesWalks: true)
      })
  }

  /// The placement of the items in each node on the way to the logits or to another kept output; nil for other nodes.
  package func itemLayouts(_ inferred: [Inferred]) -> [ItemLayout?] {
    graph.keptOutputs.reduce(itemLayouts(before: logits, inferred)) { layouts, output in
      zip(layouts, itemLayouts(before: output.node, inferred)).map { $0 ?? $1 }
    }
  }

  /// The treatment of an input's batch by the nodes on the way to `target`.
  ///
  /// - Parameter inferred: The shapes for the input, by node.
  /// - Complexity: O(nodes and edges).
  package func batching(before target: Node.ID, _ inferred: [Inferred]) -> Batching {
    let layouts = itemLayouts(before: target, inferred)
    if let first = layouts.firstIndex(of: .mixed) { return .mixed(Node.ID(first)) }
    let (shape, scores) = (inferred[input.index].shape, inferred[target.index].shape)
    let items = shape.rank > 0 ? shape[0] : 1
    // Scores are read separately for each item.
    switch layouts[target.index] {
    case .apart: return .mixed(target)
    case .folded where items > 1 && scores.rank > 0 && scores[0] % items != 0: return .mixed(target)
    default: return .items(items, sharesWalks: layouts.allSatisfy { $0 == nil || $0 == .items })
    }
  }

  /// The placement of the items in each node on the way to `target`, up to the first node that mixes them; nil for
  /// other nodes.
  ///
  /// - Complexity: O(nodes and edges).
  package func itemLayouts(before target: Node.ID, _ inferred: [Inferred]) -> [ItemLayout?] {
    let shape = inferred[input.index].shape
    let items = shape.rank > 0 ? shape[0] : 1
    var layouts = [ItemLayout?](repeating: nil, count: graph.nodes.count)
    for id in nodes(reaching: target) {
      let layout = id == input ? .items : itemLayout(of: id, items: items, layouts, inferred)
      layouts[id.index] = layout
      if layout == .mixed { break }
    }
    return layouts
  }

  /// The layout of a node, given the layouts of its operands. Nil is the layout of a node that does not depend on the
  /// input.
  private func itemLayout(of id: Node.ID, items: Int, _ layouts: [ItemLayout?], _ inferred: [Inferred]) -> ItemLayout {
    let node = graph[id]
    let shape = inferred[id.index].shape
    let known = node.inputs.map { inferred[$0.index] }
    let origin = try? node.operation.origin(of: known)
    let live = node.inputs.indices.filter { layouts[node.inputs[$0].index] != nil }
    // A single item is always contiguous.
    guard items > 1 else {
      guard shape.rank > 0, shape[0] == items, let origin else { return .folded }
      if case .sameOrder = origin { return .items }
      let operandsCount = live.allSatisfy { known[$0].shape.rank > 0 && known[$0].shape[0] == items }
      return origin.keepsLeadingAxis(known) && operandsCount ? .items : .folded
    }
    guard let origin else { return .mixed }
    var distance: Int?
    for place in live {
      guard let layout = layouts[node.inputs[place].index],
        let own = layout.distance(in: known[place].shape, items: items),
        let moved = origin.itemDistance(own, items: items, operand: place, known, to: shape),
        distance == nil || distance == moved
      else { return .mixed }
      distance = moved
    }
    guard let distance else { return .mixed }
    if distance * items != shape.count { return .apart(distance: distance) }
    return shape.rank > 0 && shape[0] == items ? .items : .folded
  }
}

extension ItemLayout {
  /// The distance between an item's elements and those of the next item, if they are adjacent in this way; nil if items
  /// are mixed.
  func distance(in shape: TensorShape, items: Int) -> Int? {
    switch self {
    case .items, .folded: shape.count % items == 0 ? shape.count / items : nil
    case .apart(let distance): distance
    case .mixed: nil
    }
  }
}

extension Origin {
  /// The distance between items in the output, given the distance in an operand; nil if items are mixed.
  fileprivate func itemDistance(
    _ distance: Int, items: Int, operand place: Int, _ operands: [Inferred], to output: TensorShape
  ) -> Int? {
    let own = operands[place].shape
    if case .sameOrder = self { return distance }
    // The axis, and the number of its indices that belong to one item before the next item's indices.
    guard let axis = own.axis(ofItems: items, distance: distance) else { return nil }
    let run = distance / own.strides[axis]
    let target: Int?
    var result = output
    switch self {
    case .sameOrder: return distance
    case .elementwise: target = axis + output.rank - own.rank
    case .selection(let selection):
      guard selection.positions == nil,
        let found = selection.axes.firstIndex(where: { $0.source == axis && $0.indices == Array(0..<own[axis]) })
      else { return nil }
      (target, result) = (found, TensorShape(selection.axes.map(\.indices.count)))
    case .joined(let joined): target = joined == axis ? nil : axis
    case .mixed(let axes): target = axes.contains(axis) ? nil : axis
    case .reduced(let axes, let keepsAxes):
      target = axes.contains(axis) ? nil : keepsAxes ? axis : axis - axes.count { $0 < axis }
    case .matrixProduct:
      // Neither the axis that the matrices share, nor an axis that only the other operand repeats.
      let (isLeft, rank) = (place == 0, own.rank)
      let common = isLeft || rank == 1 ? rank - 1 : rank - 2
      // Counted from the end of the output. A single row or column has no axis there.
      let other = operands[1 - place].shape.rank
      let fromEnd = rank - axis - (other == 1 ? 1 : 0)
      target = axis == common ? nil : output.rank - fromEnd
    }
    guard let target, target >= 0, target < result.rank, result[target] == own[axis] else { return nil }
    return run * result.strides[target]
  }

  /// Whether index `i` along the output's first axis depends only on index `i` along the first axis of the operands.
  func keepsLeadingAxis(_ operands: [Inferred]) -> Bool {
    switch self {
    case .elementwise:
      // Broadcasting aligns the last axes: the first axis of a shorter operand is not the first axis of the output.
      let longest = operands.map(\.shape.rank).max() ?? 0
      return operands.allSatisfy { $0.literal != nil || $0.shape.rank == longest }
    case .sameOrder: return false
    case .selection(let selection): return selection.keepsLeadingAxis
    case .joined(let axis): return axis > 0
    case .mixed(let axes), .reduced(let axes, _): return !axes.contains(0)
    case .matrixProduct:
      let longest = operands.map(\.shape.rank).max() ?? 0
      return longest > 2 && operands.allSatisfy { $0.literal != nil || $0.shape.rank == longest }
    }
  }
}

extension TensorShape {
  /// The axis whose indices distinguish items at a distance from one another; nil if several axes do so together.
  fileprivate func axis(ofItems items: Int, distance: Int) -> Int? {
    let strides = self.strides
    return dimensions.indices.first { axis in
      dimensions[axis] > 1 && strides[axis] > 0 && distance % strides[axis] == 0
        && distance < strides[axis] * dimensions[axis]
        && dimensions[axis] % (distance / strides[axis] * items) == 0
    }
  }
}
