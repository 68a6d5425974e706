/// Bitwise operations on two integers: and, or, exclusive or, and shifts of the first by the second.
package struct Bitwise: PairwiseFunction {
  /// A bitwise operation, with its ONNX name.
  package enum Operation: String, Sendable {
    case and = "BitwiseAnd"
    case or = "BitwiseOr"
    case exclusiveOr = "BitwiseXor"
    case left = "LEFT"
    case right = "RIGHT"
  }
  package let operation: Operation
  package init(_ operation: Operation) { self.operation = operation }

  package var kind: OperatorKind { .bitwise }
  package func callAsFunction(_ a: Float, _ b: Float) -> Float { integer(a, b, .int64) }
  package func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) { (0, 0) }
  package func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int? {
    switch operation {
    case .and: a & b
    case .or: a | b
    case .exclusiveOr: a ^ b
    case .left: type.wrapped(a << b)
    case .right: type == .uint64 ? Int(bitPattern: UInt(bitPattern: a) >> UInt(bitPattern: b)) : a >> b
    }
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.allSatisfy { $0 } && operation != .left }
  package func interval(_ a: Interval, _ b: Interval) -> Interval? { nil }
}

/// The bitwise complement of an integer.
package struct BitwiseNot: ElementwiseFunction {
  package init() {}
  package var kind: OperatorKind { .bitwise }
  package func callAsFunction(_ x: Float) -> Float { -x - 1 }
  package func derivative(at x: Float) -> Float { 0 }
  package var keepsNonNegative: Bool { false }
  package func isDefined(on x: Interval) -> Bool { false }
  package func isStepwise(of operands: [ElementKind]) -> Bool { operands.first?.integerType != nil }
  package var keepsIntegers: Bool { true }
  package func integer(_ x: Int, _ type: IntegerType) -> Int { type.wrapped(~x) }
}
