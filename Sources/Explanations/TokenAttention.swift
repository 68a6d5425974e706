import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

/// The attention of a network between tokens of one image: the outputs of its softmaxes, and the arrangement of the
/// tokens on the image.
struct TokenAttention {
  /// The nodes whose outputs are attention, (batch · heads) × tokens × tokens, in the order of the graph.
  let nodes: [Node.ID]
  let tokens: Int
  /// The arrangement of the tokens that represent parts of the image; these are the last tokens.
  let grid: TokenGrid
  private let method: String
  private var extra: Int { grid.extra }

  /// - Throws: `ExplanationError.noAttention` if no node has attention between the same tokens, or if the tokens do not
  ///   form a grid.
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

  /// A sentence about the attention nodes.
  var remark: String {
    "\(method) combines \(nodes.count == 1 ? "one attention node" : "\(nodes.count) attention nodes") between "
      + "\(grid.description)"
  }

  /// Whether values are the output of a softmax along the last axis, possibly in another shape.
  private static func isSoftmax(_ id: Node.ID, _ graph: Graph) -> Bool {
    let node = graph[id]
    if let softmax = node.operation as? Softmax { return softmax.axis == -1 || !softmax.joinsTrailingAxes }
    return node.operation.keepsElements && node.inputs.first.map { isSoftmax($0, graph) } ?? false
  }

  /// The flow from each token to each other token along all layers: `M ← next(layer)·M`, or `M ← M + next(layer)·M`,
  /// starting with the identity. Returns the row of the class token, or the mean of all rows if there is no class
  /// token, for the image tokens: height × width.
  ///
  /// - Parameter next: for each layer, a matrix tokens × tokens.
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
  /// The mean over the heads, tokens × tokens, of `combine` applied to an item's attention at a node and other values
  /// of the same shape.
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
