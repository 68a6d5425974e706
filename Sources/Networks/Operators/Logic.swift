import RelevanceTensors

/// And, or, exclusive or of Boolean values, with broadcasting.
package struct Logic: PairwiseFunction {
  /// An operation on two Boolean values, with its ONNX name.
  package enum Operation: String, CaseIterable, Sendable {
    case and = "And"
    case or = "Or"
    case exclusiveOr = "Xor"

    func holds(_ a: Bool, _ b: Bool) -> Bool {
      switch self {
      case .and: a && b
      case .or: a || b
      case .exclusiveOr: a != b
      }
    }
  }
  package let operation: Operation
  package init(_ operation: Operation) { self.operation = operation }

  package var kind: OperatorKind { .logic }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .truth }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package func isNonNegative(_ operands: [Bool]) -> Bool { true }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { operation.holds(a != 0, b != 0) ? 1 : 0 }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (0, 0) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? { operation.holds(a != 0, b != 0) ? 1 : 0 }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? { Interval(0, 1) }
  package func range(at site: RangeSite) -> ValueRange? { ValueRange(0, 1, rank: site.output.shape.rank) }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    guard let x = operands[0].literal, let y = operands[1].literal, let a = x.integers, let b = y.integers else {
      return nil
    }
    let truths = StridedWalk(over: shape, broadcasting: x.shape, y.shape).map {
      operation.holds(a[$0] != 0, b[$1] != 0)
    }
    return .integers(IntegerTensor(shape: shape, elements: truths.map { $0 ? 1 : 0 }, kind: .truth))
  }
}

/// The negation of a Boolean value.
package struct Not: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .not }
  package func callAsFunction(_ x: Float) -> Float { x == 0 ? 1 : 0 }
  package func derivative(at x: Float) -> Float { 0 }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .truth }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package var isNonNegative: Bool { true }
  package var bounds: Interval? { Interval(0, 1) }
  package func isDefined(on x: Interval) -> Bool { false }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int { x == 0 ? 1 : 0 }
}
