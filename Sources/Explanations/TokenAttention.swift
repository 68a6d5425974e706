import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

/// The attention of a network between tokens of one image: what softmaxes make of scores, and how tokens lie on the image.
struct TokenAttention {
  /// The nodes whose values are attention, batch · heads × tokens × tokens, in the graph's order.
  let nodes: [Node.ID]
  let tokens: Int
  /// How the tokens that stand for parts of the image lie on it; they are the last ones.
  let grid: TokenGrid
  private let method: String
  private var extra: Int { grid.extra }

  /// - Throws: `ExplanationError.noAttention` if no node attends from tokens to the same tokens, or these do not lie on a grid.
  init(of trace: Trace, for method: String) throws {
    let graph = trace.plan.network.graph
    let reached = Set(trace.plan.network.nodes(reaching: trace.plan.network.logits))
    let attention = graph.ids.compactMap { id -> Node.ID? in
      guard reached.contains(id), graph[id].operation is MatrixProduct, let left = graph[id].inputs.first,
        Self.isSoftmax(left, graph)
      else { return nil }
      return left
    }
    let shapes = attention.map { trace.forward.shape(of: $0) }
    guard let last = shapes.last, let tokens = last.dimensions.last,
      shapes.allSatisfy({ $0.rank >= 2 && $0[-1] == tokens && $0[-2] == tokens })
    else { throw ExplanationError.noAttention(method: method) }
    guard let grid = TokenGrid(of: tokens, at: attention[0], in: trace) else {
      throw ExplanationError.noAttention(method: method)
    }
    (nodes, self.tokens, self.grid, self.method) = (attention, tokens, grid, method)
  }

  /// What is worth knowing of it.
  var remark: String {
    "\(method) follows \(nodes.count == 1 ? "one node" : "\(nodes.count) nodes") of attention between \(grid.description)"
  }

  /// Whether values are those of a softmax along the last axis, under another shape at most.
  private static func isSoftmax(_ id: Node.ID, _ graph: Graph) -> Bool {
    let node = graph[id]
    if let softmax = node.operation as? Softmax { return softmax.axis == -1 || !softmax.joinsTrailingAxes }
    return node.operation.keepsElements && node.inputs.first.map { isSoftmax($0, graph) } ?? false
  }

  /// What passes from each token to each other along all layers: `M ← next(layer)·M`, or `M ← M + next(layer)·M`, from the identity on; then
  /// what the class token has of the image's tokens, or, without one, what all have on average: height × width.
  ///
  /// - Parameter next: for each layer tokens × tokens.
  /// - Complexity: O(layers · tokens³).
  func flow(adding: Bool, _ next: (Int) -> [Double]) -> [Float] {
    var flow = Self.identity(tokens)
    for layer in nodes.indices {
      let step = next(layer)
      var product = adding ? flow : [Double](repeating: 0, count: flow.count)
      for row in 0..<tokens {
        for middle in 0..<tokens {
          let factor = step[row * tokens + middle]
          if factor == 0 { continue }
          for column in 0..<tokens { product[row * tokens + column] += factor * flow[middle * tokens + column] }
        }
      }
      flow = product
    }
    let rows = extra > 0 ? 0..<1 : 0..<tokens
    return (extra..<tokens).map { column in
      Float(rows.reduce(0) { $0 + flow[$1 * tokens + column] } / Double(rows.count))
    }
  }

  static func identity(_ count: Int) -> [Double] {
    (0..<count * count).map { $0 / count == $0 % count ? 1 : 0 }
  }
}

extension Trace {
  /// The attention of an item at a node, and, beside it, other values of the same shape: for each head `combine` of both; the mean over the
  /// heads, tokens × tokens.
  func meanOverHeads(
    _ attention: Tensor, _ other: Tensor, item: Int, otherItem: Int, tokens: Int, _ combine: (Float, Float) -> Float
  ) -> [Double] {
    let area = tokens * tokens
    let heads = attention.count / batch / area
    var mean = [Double](repeating: 0, count: area)
    attention.withUnsafeElements { a in
      other.withUnsafeElements { b in
        for head in 0..<heads {
          let (own, others) = ((item * heads + head) * area, (otherItem * heads + head) * area)
          for i in 0..<area { mean[i] += Double(combine(a[own + i], b[others + i])) }
        }
      }
    }
    return mean.map { $0 / Double(heads) }
  }
}
