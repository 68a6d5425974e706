import RelevanceTensors

/// Declares extents that the input leaves open but the network fixes: the channels of the first convolutions and the
/// inputs of the first linear layers. Some exporters leave every axis open, which does not determine the image to pass.
struct DeclareChannels: Rewrite {
  func apply(to graph: Graph) throws -> Graph {
    let inputs = graph.inputs
    guard inputs.count == 1, let input = inputs.first, let declared = graph[input].operation as? Input else {
      return graph
    }
    let shape = declared.shape
    let known = Self.extents(seenFrom: input, rank: shape.extents.count, in: graph)
    let extents = shape.extents.enumerated().map { axis, extent -> SymbolicExtent in
      guard case .symbolic = extent, axis > 0, let wanted = known[axis], wanted.count == 1 else { return extent }
      return .fixed(wanted[0])
    }
    guard extents != shape.extents else { return graph }
    return try graph.edited([input: .change(to: Input(SymbolicShape(extents), of: declared.elements))])
  }

  /// The extents that weighted layers expect of the input's axes, each once. Only layers count that use the input
  /// directly or through nodes that keep or reorder its axes.
  private static func extents(seenFrom input: Node.ID, rank: Int, in graph: Graph) -> [Int: [Int]] {
    let consumers = graph.consumers
    var found: [Int: Set<Int>] = [:]
    // The input's axes in the order of a node's output.
    var pending = [(id: input, axes: Array(0..<rank))]
    var visited: Set<Node.ID> = [input]
    while let (id, axes) = pending.popLast() {
      for consumer in consumers[id.index] {
        let node = graph[consumer]
        guard node.inputs.first == id || node.operation is any PairwiseFunction else { continue }
        switch node.operation {
        case let convolution as Convolution where rank == convolution.spatialAxes + 2:
          found[axes[1], default: []].insert(convolution.inputChannels)
        case let linear as Linear where rank >= 2:
          found[axes[rank - 1], default: []].insert(linear.inputChannels)
        case let operation:
          guard let order = order(of: operation, rank: rank), visited.insert(consumer).inserted else { continue }
          pending.append((consumer, order.map { axes[$0] }))
        }
      }
    }
    return found.mapValues { Array($0) }
  }

  /// The axes of its operand that an operation's output has; nil if it has others.
  private static func order(of operation: any Operator, rank: Int) -> [Int]? {
    switch operation {
    case let transpose as Transpose:
      let order = transpose.order ?? (0..<rank).reversed()
      return order.sorted() == Array(0..<rank) ? order : nil
    case let pad as Pad:
      // A node that adds channels does not have the input's channels.
      guard pad.axes == nil, case .fixed(let amounts) = pad.amounts, amounts.count == 2 * rank, rank > 2,
        [0, 1, rank, rank + 1].allSatisfy({ amounts[$0] == 0 })
      else { return nil }
    case is any PairwiseFunction, is any ElementwiseFunction, is BatchNormalization, is Cast, is Quantize,
      is Dequantize:
      break
    default: return nil
    }
    return Array(0..<rank)
  }
}

extension Graph {
  /// The graph with the extents of the input declared that its first layers fix. The nodes stay the same.
  package func declaringChannels() throws -> Graph { try DeclareChannels().apply(to: self) }
}
