import RelevanceTensors

/// A function of pairs of elements `a` and `b` of two tensors, with broadcasting.
package protocol PairwiseFunction: Operator {
  func callAsFunction(_ a: Float, _ b: Float) -> Float
  /// The derivatives with respect to both operands at `(a, b)`.
  func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float)
  /// The value for two integers; nil for a division by 0.
  func integer(_ a: Int, _ b: Int, _ type: IntegerType) -> Int?
  /// The value for integers in single precision.
  ///
  /// A quotient by 0 is 0, as in NumPy; ONNX Runtime ends the process.
  func integer(_ a: Float, _ b: Float, _ type: IntegerType) -> Float
  /// The value for an integer and a real number; nil if there is none.
  func integer(_ a: Int, _ b: Double, _ type: IntegerType) -> Int?
  /// The values of the function on two intervals; nil if they are unbounded or NaN.
  func interval(_ a: Interval, _ b: Interval) -> Interval?
  /// Whether integers wrap, so that derivatives are 0.
  var wraps: Bool { get }
  /// `y ← f(a, b)` for `count` elements. An operand that does not move is a single number.
  func apply(_ a: Floats, _ aMoves: Bool, _ b: Floats, _ bMoves: Bool, _ y: MutableFloats, count: Int)
}

extension PairwiseFunction {
  package var wraps: Bool { true }
  package func integer(_ a: Float, _ b: Float, _ type: IntegerType) -> Float {
    type.float(integer(type.held(a), type.held(b), type) ?? 0)
  }
  package func integer(_ a: Int, _ b: Double, _ type: IntegerType) -> Int? { nil }
  package func apply(_ a: Floats, _ aMoves: Bool, _ b: Floats, _ bMoves: Bool, _ y: MutableFloats, count: Int) {
    for i in 0..<count { y[i] = self(a[aMoves ? i : 0], b[bMoves ? i : 0]) }
  }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard operands.count == 2 else { throw Misfit("expected 2 operands, found \(operands.count)") }
    return try broadcastShape(operands[0].shape, operands[1].shape)
  }

  package func outputRank(of operands: [Int?]) -> Int? {
    operands.contains(nil) ? nil : operands.compactMap { $0 }.max()
  }

  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    if operands.contains(.real) { return .real }
    return operands.first { $0.integerType != nil } ?? .integer(.int64)
  }

  package func isStepwise(of operands: [ElementKind]) -> Bool { wraps && elementKind(of: operands).integerType != nil }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.allSatisfy { $0 } }

  package func range(at site: RangeSite) -> ValueRange? {
    guard let a = site.range(0), let b = site.range(1) else { return nil }
    return a.combined(with: b) { interval($0, $1) }
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    guard let a = operands[0].literal, let b = operands[1].literal else { return nil }
    let walk = StridedWalk(over: shape, broadcasting: a.shape, b.shape)
    let kind = elementKind(of: [a.kind, b.kind])
    guard let type = kind.integerType, let x = a.integers else {
      let (x, y) = (a.floats, b.floats)
      return .floats(
        Tensor(uninitialized: shape) { result in
          x.withUnsafeElements { x in
            y.withUnsafeElements { y in walk.forEachElement { result[$0] = self(x[$1], y[$2]) } }
          }
        })
    }
    let elements =
      if let y = b.integers {
        walk.map { integer(x[$0], y[$1], type) }
      } else {
        walk.map { [y = b.floats.elements] in integer(x[$0], Double(y[$1]), type) }
      }
    let present = elements.compactMap { $0 }
    guard present.count == elements.count else { throw Misfit("an integer is divided by 0") }
    return .integers(IntegerTensor(shape: shape, elements: present, kind: kind))
  }
}

func broadcastShape(_ a: TensorShape, _ b: TensorShape) throws -> TensorShape {
  guard let shape = a.broadcast(with: b) else { throw Misfit("shapes \(a) and \(b) do not broadcast") }
  return shape
}

extension StridedWalk {
  /// Applies a function to each pair of the operands' positions.
  func map<Element>(_ element: (_ a: Int, _ b: Int) -> Element) -> [Element] {
    var elements: [Element] = []
    elements.reserveCapacity(runLength * runCount)
    forEachElement { elements.append(element($1, $2)) }
    return elements
  }
}
