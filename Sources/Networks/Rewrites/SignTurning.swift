import RelevanceTensors

/// A graph during the moving of signs.
struct SignTurning {
  /// The future state of a node.
  struct Draft {
    var operation: any Operator
    var operands: [Operand]
  }
  /// The source of a node's operand.
  enum Operand {
    case node(Node.ID)
    case value(Tensor)
  }

  let graph: Graph
  private let inferred: [Inferred]
  private let consumers: [[Node.ID]]
  private(set) var drafts: [Node.ID: Draft] = [:]
  /// The nodes whose values are flipped: the signs, and the node whose factor they come from.
  private(set) var turned: [Node.ID: (signs: Signs, factor: Node.ID)] = [:]
  private var factor = Node.ID(0)

  init(_ graph: Graph, _ inferred: [Inferred]) {
    (self.graph, self.inferred) = (graph, inferred)
    consumers = graph.consumers
  }

  private func draft(_ id: Node.ID) -> Draft {
    drafts[id] ?? Draft(operation: graph[id].operation, operands: graph[id].inputs.map { .node($0) })
  }

  /// The real numbers of an operand that does not depend on the input.
  private func constant(_ operand: Operand) -> Tensor? {
    if case .floats(let value)? = known(operand).literal { value } else { nil }
  }

  private func known(_ operand: Operand) -> Inferred {
    switch operand {
    case .value(let value): Inferred(.floats(value))
    case .node(let id): inferred[id.index]
    }
  }

  // MARK: Nodes with a negative factor

  /// Removes the sign from the factor of a node, and moves it to the nodes that compute its operand, if they can take
  /// it.
  mutating func turn(_ id: Node.ID) {
    guard inferred[id.index].literal == nil, let (operand, signs, positive) = negativeFactor(of: id) else { return }
    let before = (drafts, turned)
    drafts[id] = positive
    factor = id
    if !turn(positive.operands[operand], by: signs) { (drafts, turned) = before }
  }

  /// The operand that a node multiplies by a constant with a negative sign, the signs, and the node without them.
  private func negativeFactor(of id: Node.ID) -> (operand: Int, signs: Signs, positive: Draft)? {
    let draft = draft(id)
    let shape = inferred[id.index].shape
    switch draft.operation {
    case let normalization as BatchNormalization:
      guard let signs = Signs(axis: 1, normalization.scale.elements.map { $0 < 0 }) else { return nil }
      let positive = BatchNormalization(scale: normalization.scale.map { abs($0) }, shift: normalization.shift)
      return (0, signs, Draft(operation: positive, operands: draft.operands))
    case is Negate: return (0, .all, Draft(operation: Identity(), operands: draft.operands))
    case is Subtract:
      guard constant(draft.operands[0]) != nil else { return nil }
      return (1, .all, Draft(operation: Add(), operands: draft.operands))
    case is Multiply, is Divide:
      guard let (live, value) = scaled(draft), let signs = Signs(of: value, in: shape) else { return nil }
      let isUnit =
        value.withUnsafeElements { $0.allSatisfy { abs($0) == 1 } } && known(draft.operands[live]).shape == shape
      if isUnit { return (0, signs, Draft(operation: Identity(), operands: [draft.operands[live]])) }
      var positive = draft
      positive.operands[1 - live] = .value(value.map { abs($0) })
      return (live, signs, positive)
    default: return nil
    }
  }

  /// For a product with a constant, or a quotient by one: the position of the other operand, and the constant.
  private func scaled(_ draft: Draft) -> (live: Int, constant: Tensor)? {
    guard draft.operands.count == 2 else { return nil }
    if let value = constant(draft.operands[1]) { return (0, value) }
    guard draft.operation is Multiply, let value = constant(draft.operands[0]) else { return nil }
    return (1, value)
  }

  // MARK: Nodes that take over signs

  /// Flips the values of a node that has one user. Returns false, with incomplete drafts, if this is impossible.
  private mutating func turn(_ operand: Operand, by signs: Signs) -> Bool {
    guard case .node(let id) = operand, consumers[id.index].count == 1, id != graph.output else { return false }
    if let earlier = turned[id] {
      turned[id] = earlier.signs.combined(with: signs).map { ($0, factor) }
    } else {
      turned[id] = (signs, factor)
    }
    var draft = draft(id)
    let shape = inferred[id.index].shape
    switch draft.operation {
    case is any WeightedOperator, is BatchNormalization, is Negate, is Pad:
      guard let turned = draft.operation.turned(by: signs, output: shape) else { break }
      drafts[id] = Draft(operation: turned, operands: draft.operands)
      return turned is Pad ? turnFirst(of: id, signs) : true
    case is Subtract:
      if case .all = signs {
        drafts[id] = Draft(operation: draft.operation, operands: draft.operands.reversed())
        return true
      }
      return turn(0, of: id, by: signs) && turn(1, of: id, by: signs)
    case is Add: return turn(0, of: id, by: signs) && turn(1, of: id, by: signs)
    case is Multiply, is Divide:
      // A constant takes the sign, to pass it on; otherwise, any factor that can take it.
      let isProduct = draft.operation is Multiply
      if let place = draft.operands.firstIndex(where: { constant($0) != nil }) { return turn(place, of: id, by: signs) }
      let before = (drafts, turned)
      if turn(0, of: id, by: signs) { return true }
      (drafts, turned) = before
      return isProduct && turn(1, of: id, by: signs)
    case let concat as Concat:
      let axis = concat.axis < 0 ? concat.axis + shape.rank : concat.axis
      var first = 0
      for place in draft.operands.indices {
        let count = known(draft.operands[place]).shape[axis]
        var own: Signs? = signs
        if case .along(axis, let flags) = signs { own = Signs(axis: axis, Array(flags[first..<first + count])) }
        if let own, !turn(place, of: id, by: own) { return false }
        first += count
      }
      return true
    default: return turnFirst(of: id, signs)
    }
    // A negation of single channels is kept, and its operand takes the signs.
    draft = self.draft(id)
    return turnFirst(of: id, signs)
  }

  /// Flips one operand of a node that broadcasts its operands.
  private mutating func turn(_ place: Int, of id: Node.ID, by signs: Signs) -> Bool {
    var draft = draft(id)
    let (operand, rank) = (draft.operands[place], inferred[id.index].shape.rank)
    if let value = constant(operand) {
      guard let turned = value.multiplied(by: signs.factors(rank: rank)) else { return false }
      draft.operands[place] = .value(turned)
      drafts[id] = draft
      return true
    }
    guard case .along(let axis, let flags) = signs else { return turn(operand, by: signs) }
    let shape = known(operand).shape
    let own = axis - rank + shape.rank
    guard own >= 0, shape[own] == flags.count else { return false }
    return turn(operand, by: .along(axis: own, flags))
  }

  /// Flips the first operand of a node that commutes with signs.
  private mutating func turnFirst(of id: Node.ID, _ signs: Signs) -> Bool {
    let draft = draft(id)
    guard let first = draft.operands.first,
      let own = draft.operation.signsBefore(
        signs, output: inferred[id.index].shape, of: graph[id].inputs.map { inferred[$0.index] })
    else { return false }
    return turn(first, by: own)
  }
}

extension Tensor {
  /// The product with broadcasting, in either direction.
  fileprivate func multiplied(by factors: Tensor) -> Tensor? {
    (try? Multiply().literal(of: [Inferred(.floats(self)), Inferred(.floats(factors))]))?.floats
  }
}
