import RelevanceTensors

/// Converts `½ x (1 + erf(x / √2))`, with its factors in any order, back to the Gelu that an exporter decomposed; also
/// its approximation `½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
struct MergeGelu: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let inner = graph.ids.filter { graph[$0].operation is Erf || graph[$0].operation is Tanh }
    guard !inner.isEmpty else { return graph }
    let consumers = graph.consumers
    var edits: [Node.ID: Edit] = [:]
    for id in inner {
      guard let (x, isApproximate) = argument(of: id, in: graph),
        let result = product(of: x, and: id, in: graph, consumers)
      else { continue }
      edits[result] = .change(to: Gelu(approximate: isApproximate), inputs: [x])
    }
    return try graph.edited(edits)
  }

  /// The argument of the function.
  private func argument(of id: Node.ID, in graph: Graph) -> (x: Node.ID, isApproximate: Bool)? {
    let isApproximate = graph[id].operation is Tanh
    let slope = isApproximate ? 0.7978845608 : 0.7071067812
    let wanted = isApproximate ? [Powers(x: 1): slope, Powers(x: 3): slope * 0.044715] : [Powers(x: 1): slope]
    let argument = graph[id].inputs[0]
    // Operands of operands, nearest first.
    var candidates = [argument]
    for _ in 0..<6 {
      for operand in candidates.flatMap({ graph[$0].inputs }) where !candidates.contains(operand) {
        candidates.append(operand)
      }
      if candidates.count > 40 { break }
    }
    let x = candidates.first { Polynomial(of: argument, in: graph, x: $0)?.isClose(to: wanted) ?? false }
    return x.map { ($0, isApproximate) }
  }

  /// The node that is `½ x (1 + t)`, if no other node uses the intermediate values.
  private func product(of x: Node.ID, and t: Node.ID, in graph: Graph, _ consumers: [[Node.ID]]) -> Node.ID? {
    let wanted = [Powers(x: 1): 0.5, Powers(x: 1, t: 1): 0.5]
    var (last, between) = (t, Set([t]))
    for _ in 0..<5 {
      guard consumers[last.index].count == 1, last != graph.output else { return nil }
      last = consumers[last.index][0]
      if Polynomial(of: last, in: graph, x: x, t: t)?.isClose(to: wanted) ?? false { return last }
      guard between.insert(last).inserted else { return nil }
    }
    return nil
  }
}

/// Powers of two values that are multiplied.
private struct Powers: Hashable {
  var x = 0
  var t = 0
}

/// A polynomial of two nodes' values, with coefficients from the graph.
private struct Polynomial {
  private var terms: [Powers: Double]

  /// The polynomial of `x` and `t` that a node computes; nil if it computes no polynomial or a long one.
  init?(of id: Node.ID, in graph: Graph, x: Node.ID, t: Node.ID? = nil, depth: Int = 0) {
    if id == t {
      terms = [Powers(t: 1): 1]
      return
    }
    if id == x {
      terms = [Powers(x: 1): 1]
      return
    }
    let node = graph[id]
    if let constant = node.operation as? Constant {
      // Only one number for all elements.
      guard let tensor = constant.tensor, tensor.count == 1, tensor.shape.rank <= 1 else { return nil }
      terms = [Powers(): Double(tensor.elements[0])]
      return
    }
    guard depth < 8, node.inputs.count == 2,
      let a = Polynomial(of: node.inputs[0], in: graph, x: x, t: t, depth: depth + 1),
      let b = Polynomial(of: node.inputs[1], in: graph, x: x, t: t, depth: depth + 1)
    else { return nil }
    switch node.operation {
    case is Add: terms = a.terms.merging(b.terms, uniquingKeysWith: +)
    case is Multiply: terms = a.times(b)
    case is Divide:
      guard let divisor = b.number, divisor != 0 else { return nil }
      terms = a.terms.mapValues { $0 / divisor }
    case is Power:
      guard let exponent = b.number, [1, 2, 3].contains(exponent) else { return nil }
      terms = (1..<Int(exponent)).reduce(a) { product, _ in Polynomial(terms: product.times(a)) }.terms
    default: return nil
    }
    // No form of Gelu has higher powers, and there could be many.
    guard terms.keys.allSatisfy({ $0.x <= 3 && $0.t <= 1 }) else { return nil }
  }

  private init(terms: [Powers: Double]) { self.terms = terms }

  /// The value, if the polynomial is only a number.
  private var number: Double? { terms.count == 1 ? terms[Powers()] : nil }

  private func times(_ other: Polynomial) -> [Powers: Double] {
    var product: [Powers: Double] = [:]
    for (a, x) in terms {
      for (b, y) in other.terms { product[Powers(x: a.x + b.x, t: a.t + b.t), default: 0] += x * y }
    }
    return product
  }

  /// Compares with a tolerance, because exporters round coefficients.
  func isClose(to wanted: [Powers: Double]) -> Bool {
    terms.count == wanted.count
      && wanted.allSatisfy { powers, value in terms[powers].map { abs($0 - value) <= 1e-4 * value } ?? false }
  }
}
