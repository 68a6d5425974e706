import RelevanceTensors

/// An elementwise function. The output has the operand's shape.
package protocol ElementwiseFunction: Operator {
  func callAsFunction(_ x: Float) -> Float
  /// The derivative at `x`. At a step it is 0. At a kink it is the derivative of the right side for `abs`, and of the
  /// flat side otherwise.
  func derivative(at x: Float) -> Float
  /// `y ← f(x)` for `count` elements; `x` and `y` may be the same memory.
  func apply(_ x: Floats, _ y: MutableFloats, count: Int)
  /// Whether the function is `max(x, 0)`, or the minimum of that and a constant.
  var isRectifier: Bool { get }

  var isNonNegative: Bool { get }
  /// Whether the function maps values ≥ 0 to values ≥ 0.
  var keepsNonNegative: Bool { get }
  /// The limits of the function's values for all operands; nil if there are none.
  var bounds: Interval? { get }
  /// The points where the function changes between falling and rising. Between two of them it is monotone.
  var turningPoints: [Float] { get }
  /// Whether the function is defined, finite or infinite, on all of an interval.
  func isDefined(on x: Interval) -> Bool

  /// Whether the function maps integers to integers.
  var keepsIntegers: Bool { get }
  /// The value at an integer, for functions that map integers to integers.
  func integer(_ x: Int, _ type: IntegerType) -> Int
}

extension ElementwiseFunction {
  package func apply(_ x: Floats, _ y: MutableFloats, count: Int) {
    for i in 0..<count { y[i] = self(x[i]) }
  }
  package var isRectifier: Bool { false }
  package var isNonNegative: Bool { false }
  package var keepsNonNegative: Bool { true }
  package var bounds: Interval? { nil }
  package var turningPoints: [Float] { [] }
  package func isDefined(on x: Interval) -> Bool { true }
  package var keepsIntegers: Bool { false }
  package func integer(_ x: Int, _ type: IntegerType) -> Int { x }
}

// MARK: Implementation of the operator

extension ElementwiseFunction {
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try operand(operands) }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    keepsIntegers ? operands.first ?? .real : .real
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool {
    isNonNegative || keepsNonNegative && operands.first ?? false
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    guard let value = operands.first?.literal else { return nil }
    guard case .integers(let x) = value, keepsIntegers else { return .floats(value.floats.map { self($0) }) }
    let type = x.kind.integerType ?? .int64
    return .integers(IntegerTensor(shape: x.shape, elements: x.elements.map { integer($0, type) }, kind: x.kind))
  }

  package func range(at site: RangeSite) -> ValueRange? {
    site.range(0)?.mapped { interval($0) }
      ?? bounds.flatMap { ValueRange($0.lower, $0.upper, rank: site.output.shape.rank) }
  }

  /// The values of the function on an interval; nil if they are unbounded or NaN.
  func interval(_ x: Interval) -> Interval? {
    guard isDefined(on: x) else { return nil }
    return Interval(of: [self(x.lower), self(x.upper)] + turningPoints.filter(x.contains).map { self($0) })
  }
}
