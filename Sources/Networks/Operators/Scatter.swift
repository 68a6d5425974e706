import RelevanceTensors

/// data, indices, updates → the data with some elements replaced by the updates, or with the updates added.
package struct Scatter: Operator {
  /// The meaning of the indices.
  package enum Places: Hashable, Sendable {
    /// Each is an index along an axis. Along the other axes, an update keeps its position.
    case along(axis: Int)
    /// Each row of the last axis is the position of a slice.
    case parts
  }
  package let places: Places
  package let adds: Bool
  package init(_ places: Places, adds: Bool) { (self.places, self.adds) = (places, adds) }

  package var kind: OperatorKind { places == .parts ? .scatterND : .scatterElements }
  package var takesLists: Bool { true }
  package var valueOperands: Set<Int> { [0, 2] }
  package var isLinear: Bool { true }
  package func isNonNegative(_ operands: [Bool]) -> Bool {
    operands.count == 3 && operands[0] && operands[2]
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .mixed(Set(0..<(try firstShape(operands).rank))) }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let positions = try positions(of: operands)
    var data = elements.flags
    // If several updates have the same position, the last one counts, unless they are added.
    let last = Dictionary(zip(positions, positions.indices)) { $1 }
    let updates = positions.enumerated().map { data[$1] && (adds || last[$1] == $0) }
    if !adds { for position in positions { data[position] = false } }
    return [
      ElementSet(elements.shape, flags: data), ElementSet(allOf: operands[1].shape),
      ElementSet(operands[2].shape, flags: updates),
    ]
  }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    _ = try positions(of: operands)
    return try firstShape(operands)
  }

  package func range(at site: RangeSite) -> ValueRange? {
    guard !adds, let data = site.range(0)?.hull, let updates = site.range(2)?.hull else { return nil }
    return ValueRange(
      min(data.lower, updates.lower), max(data.upper, updates.upper), rank: site.output.shape.rank)
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let data = operands[0].literal, let updates = operands[2].literal else { return nil }
    let positions = try positions(of: operands)
    if var elements = data.integers, let updates = updates.integers {
      for (position, update) in zip(positions, updates) {
        elements[position] =
          adds ? (data.kind.integerType ?? .int64).wrapped(elements[position] &+ update) : update
      }
      return .integers(IntegerTensor(shape: data.shape, elements: elements, kind: data.kind))
    }
    var elements = data.floats.elements
    for (position, update) in zip(positions, updates.floats.elements) {
      elements[position] = adds ? elements[position] + update : update
    }
    return .floats(Tensor(shape: data.shape, elements: elements))
  }

  /// The data's position for each update.
  package func positions(of operands: [Inferred]) throws -> [Int] {
    guard operands.count == 3 else { throw Misfit("expected 3 operands, found \(operands.count)") }
    let (x, shape, updates) = (operands[0].shape, operands[1].shape, operands[2].shape)
    let indices = try integers(1, of: operands)
    switch places {
    case .along(let axis):
      guard shape == updates else {
        throw Misfit("indices have shape \(shape) and updates \(updates); expected the same shape")
      }
      return try Self.positions(of: indices, shape, in: x, along: counted(axis, rank: x.rank))
    case .parts:
      let (starts, count) = try Self.starts(of: indices, shape, in: x, batchAxes: 0)
      guard updates.dimensions == shape.dimensions.dropLast() + x.dimensions[shape[-1]...] else {
        throw Misfit("updates of shape \(updates) do not fit indices of shape \(shape) and data of shape \(x)")
      }
      return starts.flatMap { $0..<$0 + count }
    }
  }

  /// The positions, in a shape, of indices along an axis. Along the other axes each index has its own position.
  static func positions(of indices: [Int], _ shape: TensorShape, in x: TensorShape, along axis: Int) throws -> [Int] {
    guard shape.rank == x.rank, (0..<x.rank).allSatisfy({ $0 == axis || shape[$0] <= x[$0] }) else {
      throw Misfit("indices of shape \(shape) do not fit data of shape \(x)")
    }
    let (own, strides) = (shape.strides, x.strides)
    return try indices.enumerated().map { position, index in
      try (0..<x.rank).reduce(0) { sum, other in
        let at = try other == axis ? place(index, x[axis], axis, x) : position / own[other] % shape[other]
        return sum + at * strides[other]
      }
    }
  }

  /// The starts of the slices at the positions in rows of indices, and the number of elements of a slice.
  static func starts(
    of indices: [Int], _ shape: TensorShape, in x: TensorShape, batchAxes: Int
  ) throws -> (starts: [Int], count: Int) {
    guard shape.rank >= 1, batchAxes >= 0, batchAxes < shape.rank, shape[-1] >= 0, batchAxes + shape[-1] <= x.rank,
      shape.dimensions[..<batchAxes] == x.dimensions[..<batchAxes]
    else { throw Misfit("indices of shape \(shape) do not fit data of shape \(x) with \(batchAxes) shared axes") }
    let (named, strides) = (shape[-1], x.strides)
    let rows = shape.dimensions.dropLast().reduce(1, *)
    let rowsOfItem = shape.dimensions[batchAxes...].dropLast().reduce(1, *)
    let itemCount = x.dimensions[batchAxes...].reduce(1, *)
    let starts = try (0..<rows).map { row in
      try (0..<named).reduce(row / max(rowsOfItem, 1) * itemCount) { sum, i in
        let axis = batchAxes + i
        return sum + (try place(indices[row * named + i], x[axis], axis, x)) * strides[axis]
      }
    }
    return (starts, x.dimensions[(batchAxes + named)...].reduce(1, *))
  }

  private static func place(_ index: Int, _ extent: Int, _ axis: Int, _ x: TensorShape) throws -> Int {
    guard (-extent..<extent).contains(index) else {
      throw Misfit("index \(index) is outside axis \(axis) of shape \(x)")
    }
    return index < 0 ? index + extent : index
  }
}
