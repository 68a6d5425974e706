import RelevanceTensors

/// The largest or smallest elements along an axis, in order, or their indices. Equal elements keep their order.
package struct TopElements: Operator {
  package let axis: Int
  package let isLargest: Bool
  /// The number of elements.
  package let count: List
  /// Whether the output contains the elements' indices instead of their values.
  package let givesPlaces: Bool
  package init(axis: Int, isLargest: Bool, count: List, givesPlaces: Bool) {
    (self.axis, self.isLargest, self.count, self.givesPlaces) = (axis, isLargest, count, givesPlaces)
  }

  package var kind: OperatorKind { givesPlaces ? .topIndices : .topK }
  package var takesLists: Bool { true }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    givesPlaces ? .integer(.int64) : operands.first ?? .real
  }
  package func isStepwise(of operands: [ElementKind]) -> Bool { givesPlaces }
  package func isNonNegative(_ operands: [Bool]) -> Bool { givesPlaces || operands.first ?? false }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try firstShape(operands)
    let count = try count.values(operands, "k")
    let axis = try counted(axis, rank: x.rank)
    guard count.count == 1, (0...x[axis]).contains(count[0]) else {
      throw Misfit("k is \(count); expected at most \(x[axis]), the extent of axis \(axis) of shape \(x)")
    }
    var extents = x.dimensions
    extents[axis] = count[0]
    return TensorShape(extents)
  }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .mixed([try counted(axis, rank: try firstShape(operands).rank)])
  }
  package func range(at site: RangeSite) -> ValueRange? {
    let rank = site.output.shape.rank
    if givesPlaces { return ValueRange(0, Float(max(site.operands[0].shape.dimensions.max() ?? 1, 1)), rank: rank) }
    return site.range(0).flatMap { ValueRange($0.hull.lower, $0.hull.upper, rank: rank) }
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let output = try outputShape(of: operands)
    guard let x = operands[0].literal else { return nil }
    let lines = Lines(of: x.shape, along: try counted(axis, rank: x.shape.rank))
    let extent = lines.count == 0 ? 0 : output.count / lines.count
    var places = [Int](repeating: 0, count: output.count)
    var sources = places
    let (integers, floats) = (x.integers, x.integers == nil ? x.floats.elements : [])
    for line in 0..<lines.count {
      let order =
        if let integers {
          Self.order(lines, line, isLargest) { integers[$0] }
        } else {
          Self.order(lines, line, isLargest) { floats[$0] }
        }
      for rank in 0..<extent {
        let position = lines.position(rank, of: line, extent: extent)
        places[position] = order[rank]
        sources[position] = lines.position(order[rank], of: line)
      }
    }
    if givesPlaces { return .integers(IntegerTensor(shape: output, elements: places)) }
    if let integers {
      return .integers(IntegerTensor(shape: output, elements: sources.map { integers[$0] }, kind: x.kind))
    }
    return .floats(Tensor(shape: output, elements: sources.map { floats[$0] }))
  }

  /// The elements of a line in order.
  package static func order<Value: Comparable>(
    _ lines: Lines, _ line: Int, _ isLargest: Bool, _ value: (_ position: Int) -> Value
  ) -> [Int] {
    let own = (0..<lines.extent).map { (place: $0, value: value(lines.position($0, of: line))) }
    return own.sorted { a, b in
      a.value == b.value ? a.place < b.place : isLargest ? a.value > b.value : a.value < b.value
    }.map(\.place)
  }
}
