import RelevanceTensors

/// The index of the largest or smallest element along an axis. If there are several, the first or the last one.
package struct ArgumentOfExtreme: Operator {
  package let isMaximum: Bool
  package let axis: Int
  package let keepsAxis: Bool
  package let takesLast: Bool
  package init(isMaximum: Bool, axis: Int, keepsAxis: Bool, takesLast: Bool) {
    (self.isMaximum, self.axis, self.keepsAxis, self.takesLast) = (isMaximum, axis, keepsAxis, takesLast)
  }

  package var kind: OperatorKind { isMaximum ? .argMax : .argMin }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .integer(.int64) }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package func isNonNegative(_ operands: [Bool]) -> Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? { operands[0].map { keepsAxis ? $0 : $0 - 1 } }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    let x = try operand(operands)
    var extents = x.dimensions
    let axis = try counted(axis, rank: x.rank)
    guard extents[axis] > 0 else { throw Misfit("axis \(axis) of shape \(x) has no elements") }
    if keepsAxis { extents[axis] = 1 } else { extents.remove(at: axis) }
    return TensorShape(extents)
  }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .reduced([try counted(axis, rank: try firstShape(operands).rank)], keepsAxes: keepsAxis)
  }
  package func range(at site: RangeSite) -> ValueRange? {
    let x = site.operands[0].shape
    return (try? counted(axis, rank: x.rank)).flatMap {
      ValueRange(0, Float(max(x[$0] - 1, 0)), rank: site.output.shape.rank)
    }
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    guard let value = operands[0].literal else { return nil }
    let indices =
      if let x = value.integers, value.kind != .integer(.uint64) {
        try places(in: x, value.shape)
      } else {
        try places(in: value.floats.elements, value.shape)
      }
    return .integers(IntegerTensor(shape: shape, elements: indices))
  }

  private func places<Value: Comparable>(in x: [Value], _ shape: TensorShape) throws -> [Int] {
    let lines = Lines(of: shape, along: try counted(axis, rank: shape.rank))
    return (0..<lines.count).map { line in
      var best = 0
      for i in 1..<max(lines.extent, 1) {
        let (a, b) = (x[lines.position(i, of: line)], x[lines.position(best, of: line)])
        if takesLast && a == b || (isMaximum ? a > b : a < b) { best = i }
      }
      return best
    }
  }
}

/// The lines of elements along an axis of a shape.
package struct Lines: Sendable {
  package let count: Int
  package let extent: Int
  package let inner: Int

  package init(of shape: TensorShape, along axis: Int) {
    extent = shape[axis]
    inner = shape.dimensions[(axis + 1)...].reduce(1, *)
    count = shape.dimensions[..<axis].reduce(1, *) * inner
  }

  /// The position of element `i` of a line, in a shape with the line's extent or another extent along the axis.
  package func position(_ i: Int, of line: Int, extent: Int? = nil) -> Int {
    (line / inner * (extent ?? self.extent) + i) * inner + line % inner
  }
}
