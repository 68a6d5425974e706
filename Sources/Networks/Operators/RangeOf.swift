import RelevanceTensors

/// Equally spaced numbers: start, limit, delta → start, start + delta, ….
package struct RangeOf: LiteralFunction {
  package init() {}
  package var kind: OperatorKind { .range }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    operands.contains(.real) ? .real : operands.first ?? .real
  }

  package func value(of values: [Literal]) throws -> Literal? {
    guard values.count == 3, values.allSatisfy({ $0.shape.count == 1 }) else { return nil }
    let list = values.map { $0.integers.map { Double($0[0]) } ?? Double($0.floats.elements[0]) }
    let count = Swift.max(0, (list[1] - list[0]) / list[2]).rounded(.up)
    guard list[2] != 0, count < 0x1p20 else { throw Misfit("a range with delta \(list[2]) is infinite or too long") }
    let integers = values.compactMap { $0.integers?[0] }
    if integers.count == 3 {
      let type = values[0].kind.integerType ?? .int64
      let elements = (0..<Int(count)).map { type.wrapped(integers[0] &+ $0 &* integers[2]) }
      return .integers(IntegerTensor(shape: [Int(count)], elements: elements, kind: values[0].kind))
    }
    let (start, step) = (Float(list[0]), Float(list[2]))
    return .floats(Tensor(shape: [Int(count)], elements: (0..<Int(count)).map { start + Float($0) * step }))
  }
}
