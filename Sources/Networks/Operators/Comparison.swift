import RelevanceTensors

/// a, b → whether the relation of a to b holds, with broadcasting.
package struct Comparison: PairwiseFunction {
  /// A relation of two numbers, with its ONNX name.
  package enum Relation: String, CaseIterable, Sendable {
    case equal = "Equal"
    case less = "Less"
    case lessOrEqual = "LessOrEqual"
    case greater = "Greater"
    case greaterOrEqual = "GreaterOrEqual"

    func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
      switch self {
      case .equal: a == b
      case .less: a < b
      case .lessOrEqual: a <= b
      case .greater: a > b
      case .greaterOrEqual: a >= b
      }
    }
  }
  package let relation: Relation
  package init(_ relation: Relation) { self.relation = relation }

  package var kind: OperatorKind { .comparison }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .truth }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package func isNonNegative(_ operands: [Bool]) -> Bool { true }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { relation.holds(a, b) ? 1 : 0 }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (0, 0) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? {
    let holds = type == .uint64 ? relation.holds(UInt(bitPattern: a), UInt(bitPattern: b)) : relation.holds(a, b)
    return holds ? 1 : 0
  }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? { Interval(0, 1) }
  package func range(at site: RangeSite) -> ValueRange? { ValueRange(0, 1, rank: site.output.shape.rank) }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    guard let x = operands[0].literal, let y = operands[1].literal else { return nil }
    let walk = StridedWalk(over: shape, broadcasting: x.shape, y.shape)
    let truths: [Int]
    if let a = x.integers, let b = y.integers {
      let type = x.kind.integerType ?? .int64
      truths = walk.map { integer(a[$0], b[$1], type) ?? 0 }
    } else {
      let (a, b) = (x.floats.elements, y.floats.elements)
      truths = walk.map { relation.holds(a[$0], b[$1]) ? 1 : 0 }
    }
    return .integers(IntegerTensor(shape: shape, elements: truths, kind: .truth))
  }
}
