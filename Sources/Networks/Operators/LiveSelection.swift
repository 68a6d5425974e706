import RelevanceTensors

/// Elements of a tensor at indices that depend on the image.
package struct LiveSelection: Operator {
  /// The meaning of the indices.
  package enum Places: Hashable, Sendable {
    /// Along an axis, which the axes of the indices replace: ONNX's Gather.
    case along(axis: Int)
    /// Along an axis, with each index at its own position along the other axes: GatherElements.
    case elements(axis: Int)
    /// Slices at the positions in rows of the last axis, after leading axes that both operands share: GatherND.
    case parts(batchAxes: Int)
  }
  package let places: Places
  package init(_ places: Places) { self.places = places }

  package var kind: OperatorKind {
    switch places {
    case .along: .gather
    case .elements: .gatherElements
    case .parts: .gatherND
    }
  }
  package var decidingOperands: Set<Int> { [1] }
  package func outputRank(of operands: [Int?]) -> Int? {
    guard operands.count == 2, let data = operands[0], let indices = operands[1] else { return nil }
    return switch places {
    case .along: data + indices - 1
    case .elements: data
    case .parts: nil
    }
  }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard operands.count == 2 else { throw Misfit("expected 2 operands, found \(operands.count)") }
    let (x, indices) = (operands[0].shape, operands[1].shape)
    guard x.count > 0 || indices.count == 0 else { throw Misfit("the tensor is empty; expected elements to select") }
    switch places {
    case .along(let axis):
      let axis = try counted(axis, rank: x.rank)
      return try TensorShape(checking: x.dimensions[..<axis] + indices.dimensions + x.dimensions[(axis + 1)...])
    case .elements(let axis):
      let axis = try counted(axis, rank: x.rank)
      guard indices.rank == x.rank, (0..<x.rank).allSatisfy({ $0 == axis || indices[$0] <= x[$0] }) else {
        throw Misfit("indices of shape \(indices) do not fit data of shape \(x)")
      }
      return indices
    case .parts(let batchAxes):
      guard indices.rank > batchAxes, batchAxes >= 0, indices[-1] >= 0, batchAxes + indices[-1] <= x.rank,
        indices.dimensions[..<batchAxes] == x.dimensions[..<batchAxes]
      else { throw Misfit("indices of shape \(indices) do not fit data of shape \(x)") }
      return try TensorShape(checking: indices.dimensions.dropLast() + x.dimensions[(batchAxes + indices[-1])...])
    }
  }

  package func origin(of operands: [Inferred]) throws -> Origin {
    let rank = try outputShape(of: operands).rank
    let keepsFirst: Bool =
      switch places {
      // A constant table has no items.
      case .along(let axis): operands[0].literal != nil && axis == 0
      case .elements(let axis):
        try counted(axis, rank: operands[0].shape.rank) > 0 && operands[0].shape[0] == operands[1].shape[0]
      case .parts(let batchAxes): batchAxes > 0
      }
    return .mixed(Set((keepsFirst ? 1 : 0)..<Swift.max(rank, 1)))
  }
  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let (x, indices) = (operands[0].shape, operands[1].shape)
    func all(_ axis: Int) -> [Bool] { [Bool](repeating: true, count: x[axis]) }
    switch places {
    case .along(let axis):
      let axis = try counted(axis, rank: x.rank)
      let own = axis..<axis + indices.rank
      return [
        elements.mapped(to: x) { $0.axes[..<axis] + [all(axis)] + $0.axes[own.upperBound...] },
        elements.mapped(to: indices) { Array($0.axes[own]) },
      ]
    case .elements(let axis):
      let axis = try counted(axis, rank: x.rank)
      let data = elements.mapped(to: x) { block in
        x.dimensions.indices.map { other in
          let flags = block.axes[other]
          return other == axis ? all(axis) : flags + [Bool](repeating: false, count: x[other] - flags.count)
        }
      }
      return [data, elements]
    case .parts(let batchAxes):
      let named = batchAxes..<batchAxes + indices[-1]
      return [
        elements.mapped(to: x) { $0.axes[..<batchAxes] + named.map(all) + $0.axes[(indices.rank - 1)...] },
        elements.mapped(to: indices) {
          $0.axes[..<(indices.rank - 1)] + [[Bool](repeating: true, count: indices[-1])]
        },
      ]
    }
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.first ?? false }
  package func range(at site: RangeSite) -> ValueRange? {
    site.range(0).flatMap { ValueRange($0.hull.lower, $0.hull.upper, rank: site.output.shape.rank) }
  }

  /// The start of each run of `count` elements of the output in the operand, given the indices; nil for an index
  /// outside of the axis.
  package func runs(of x: TensorShape, _ shape: TensorShape, _ index: (Int) -> Float) -> (starts: [Int?], count: Int) {
    func place(_ position: Int, _ extent: Int) -> Int? {
      let value = index(position)
      guard abs(value) < 0x1p62 else { return nil }
      let place = Int(value) < 0 ? Int(value) + extent : Int(value)
      return (0..<extent).contains(place) ? place : nil
    }
    switch places {
    case .along(let axis):
      let axis = axis < 0 ? axis + x.rank : axis
      let inner = x.dimensions[(axis + 1)...].reduce(1, *)
      let chosen = (0..<shape.count).map { place($0, x[axis]) }
      let outer = x.dimensions[..<axis].reduce(1, *)
      return ((0..<outer).flatMap { o in chosen.map { $0.map { (o * x[axis] + $0) * inner } } }, inner)
    case .elements(let axis):
      let axis = axis < 0 ? axis + x.rank : axis
      let (own, strides) = (shape.strides, x.strides)
      let starts = (0..<shape.count).map { position in
        place(position, x[axis]).map { place in
          (0..<x.rank).reduce(0) { $0 + ($1 == axis ? place : position / own[$1] % shape[$1]) * strides[$1] }
        }
      }
      return (starts, 1)
    case .parts(let batchAxes):
      let (named, strides) = (shape[-1], x.strides)
      let rows = shape.dimensions.dropLast().reduce(1, *)
      let rowsOfItem = Swift.max(shape.dimensions[batchAxes...].dropLast().reduce(1, *), 1)
      let itemCount = x.dimensions[batchAxes...].reduce(1, *)
      let starts = (0..<rows).map { row in
        (0..<named).reduce(Int?(row / rowsOfItem * itemCount)) { sum, i in
          guard let sum, let at = place(row * named + i, x[batchAxes + i]) else { return nil }
          return sum + at * strides[batchAxes + i]
        }
      }
      return (starts, x.dimensions[(batchAxes + named)...].reduce(1, *))
    }
  }
}
