import RelevanceTensors

/// The extents of the operand's axes `start ..< end`, as a list. If `end` is nil, it is the number of axes.
package struct ShapeOf: Operator {
  package let start: Int
  package let end: Int?
  package init(start: Int = 0, end: Int? = nil) { (self.start, self.end) = (start, end) }

  package var kind: OperatorKind { .shape }
  package func literal(ofShapes operands: [Inferred]) throws -> Literal? {
    let x = try firstShape(operands)
    func clamped(_ axis: Int) -> Int { min(max(axis < 0 ? max(axis, -x.rank) + x.rank : axis, 0), x.rank) }
    let (first, last) = (clamped(start), clamped(end ?? x.rank))
    return .integers(IntegerTensor(Array(x.dimensions[first..<max(first, last)])))
  }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard let extents = try literal(ofShapes: operands) else {
      throw Misfit("its value is unknown; expected an operand with a known shape")
    }
    return extents.shape
  }
  package func outputRank(of operands: [Int?]) -> Int? { 1 }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .integer(.int64) }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .reduced(Set(0..<(try firstShape(operands).rank)), keepsAxes: false)
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { true }
}
