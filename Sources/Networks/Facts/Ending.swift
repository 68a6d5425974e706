/// The end of a graph: the values that are explained, and the computation of probabilities from them.
///
/// Softmax, LogSoftmax and Sigmoid are recognized, also if they are decomposed into other operators; also clipping of
/// probabilities, and `[1 − p, p]`.
struct Ending: Sendable {
  private(set) var logits: Node.ID
  /// The decision of the values if there is one per item. If there are more, a sigmoid decides each class
  /// independently.
  private(set) var decision = Decision.quantity
  private(set) var softmax: Softmax?

  init(of graph: Graph) {
    logits = graph.output
    // Nodes that only reshape or clip probabilities are skipped.
    var id = Self.beforeShaping(graph.output, in: graph)
    var unclipped = id
    while let clip = graph[unclipped].operation as? Clip, clip.lowest <= 0.01, clip.highest >= 0.99 {
      unclipped = Self.beforeShaping(graph[unclipped].inputs[0], in: graph)
    }
    if unclipped != id, Self.isProbability(unclipped, in: graph) { id = unclipped }
    if let (unit, positive) = graph.complement(id) {
      (logits, decision) = (unit, .twoClasses(positive: positive))
    } else if let unit = graph.sigmoidOperand(id) {
      (logits, decision) = (unit, .twoClasses(positive: 1))
    } else {
      while let (operand, softmax) = graph.softmaxOperand(id) {
        (logits, decision, self.softmax) = (operand, .oneClass, softmax)
        id = Self.beforeShaping(operand, in: graph)
      }
    }
  }

  private static func beforeShaping(_ id: Node.ID, in graph: Graph) -> Node.ID {
    var id = id
    while graph[id].operation.keepsElements || graph[id].operation.rounds { id = graph[id].inputs[0] }
    return id
  }

  private static func isProbability(_ id: Node.ID, in graph: Graph) -> Bool {
    graph.complement(id) != nil || graph.sigmoidOperand(id) != nil || graph.softmaxOperand(id) != nil
  }
}

extension Operator {
  /// Whether values are only rounded, or converted between integers and the real numbers that they represent.
  fileprivate var rounds: Bool { [.quantizeLinear, .dequantizeLinear, .dynamicQuantizeLinear].contains(kind) }
}

extension Graph {
  private func number(_ id: Node.ID) -> Float? {
    guard let value = (self[id].operation as? Constant)?.tensor, value.count == 1 else { return nil }
    return value.elements[0]
  }

  private func operand<Function: Operator>(_ id: Node.ID, of function: Function.Type) -> Node.ID? {
    self[id].operation is Function ? self[id].inputs[0] : nil
  }

  /// The dividends and divisors of a quotient: for `a / b` and `a · (1 / b)`. For `1 / b`, the dividend is nil.
  private func quotients(_ id: Node.ID) -> [(dividend: Node.ID?, divisor: Node.ID)] {
    let inputs = self[id].inputs
    switch self[id].operation {
    case is Divide: return [(inputs[0], inputs[1])]
    case is Reciprocal: return [(nil, inputs[0])]
    case is Multiply:
      return [0, 1].compactMap { a in operand(inputs[1 - a], of: Reciprocal.self).map { (inputs[a], $0) } }
    default: return []
    }
  }

  /// The operand if a node computes a sigmoid: `σ(x)`, `1 / (1 + exp(−x))`.
  func sigmoidOperand(_ id: Node.ID) -> Node.ID? {
    if let x = operand(id, of: Sigmoid.self) { return x }
    guard let (dividend, sum) = quotients(id).first, dividend.map({ number($0) == 1 }) ?? true,
      self[sum].operation is Add
    else { return nil }
    let (a, b) = (self[sum].inputs[0], self[sum].inputs[1])
    guard let exponential = number(a) == 1 ? b : number(b) == 1 ? a : nil,
      let negated = operand(exponential, of: Exp.self)
    else { return nil }
    return operand(negated, of: Negate.self)
  }

  /// The operand if a node computes a softmax or its logarithm: `exp(x) / Σ exp(x)`, also with the maximum subtracted
  /// first.
  func softmaxOperand(_ id: Node.ID) -> (Node.ID, Softmax)? {
    if let softmax = self[id].operation as? Softmax { return (self[id].inputs[0], softmax) }
    if self[id].operation is Subtract, let sum = operand(self[id].inputs[1], of: Log.self) {
      guard let (exponential, axis) = reduced(sum), operand(exponential, of: Exp.self) == self[id].inputs[0] else {
        return nil
      }
      return (withoutMaximum(self[id].inputs[0]), Softmax(axis: axis, joinsTrailingAxes: false))
    }
    for (exponential, sum) in quotients(id) {
      guard let exponential, let x = operand(exponential, of: Exp.self), let (operand, axis) = reduced(sum),
        operand == exponential
      else { continue }
      return (withoutMaximum(x), Softmax(axis: axis, joinsTrailingAxes: false))
    }
    return nil
  }

  /// The operand of a sum along one axis, which is kept.
  private func reduced(_ id: Node.ID) -> (operand: Node.ID, axis: Int)? {
    guard let reduction = self[id].operation as? Reduction, reduction.function == .sum, reduction.keepsAxes,
      case .fixed(let axes)? = reduction.axes, axes.count == 1
    else { return nil }
    return (self[id].inputs[0], axes[0])
  }

  /// The operand that the maximum was subtracted from; the node itself if it was not.
  private func withoutMaximum(_ id: Node.ID) -> Node.ID {
    guard self[id].operation is Subtract,
      let reduction = self[self[id].inputs[1]].operation as? Reduction, reduction.function == .maximum,
      self[self[id].inputs[1]].inputs[0] == self[id].inputs[0]
    else { return id }
    return self[id].inputs[0]
  }

  /// The logit of two joined probabilities `[1 − p, p]` or `[p, 1 − p]`, and the index of the logit's own probability.
  fileprivate func complement(_ id: Node.ID) -> (unit: Node.ID, positive: Int)? {
    guard self[id].operation is Concat, self[id].inputs.count == 2 else { return nil }
    for positive in 0..<2 {
      let (own, other) = (self[id].inputs[positive], self[id].inputs[1 - positive])
      guard self[other].operation is Subtract, number(self[other].inputs[0]) == 1,
        self[other].inputs[1] == own, let unit = sigmoidOperand(own)
      else { continue }
      return (unit, positive)
    }
    return nil
  }
}
