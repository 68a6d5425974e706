import RelevanceTensors

/// condition, a, b → a where the condition holds, otherwise b.
package struct Where: Operator {
  package init() {}
  package var kind: OperatorKind { .where }
  package var decidingOperands: Set<Int> { [0] }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard operands.count == 3 else { throw Misfit("expected 3 operands, found \(operands.count)") }
    return try broadcastShape(broadcastShape(operands[0].shape, operands[1].shape), operands[2].shape)
  }
  package func outputRank(of operands: [Int?]) -> Int? {
    operands.contains(nil) ? nil : operands.compactMap { $0 }.max()
  }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    operands.dropFirst().contains(.real) ? .real : operands.dropFirst().first ?? .real
  }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.dropFirst().allSatisfy { $0 } }

  package func range(at site: RangeSite) -> ValueRange? {
    guard let a = site.range(1)?.hull, let b = site.range(2)?.hull else { return nil }
    return ValueRange(min(a.lower, b.lower), max(a.upper, b.upper), rank: site.output.shape.rank)
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    let values = operands.compactMap(\.literal)
    guard values.count == 3, let condition = values[0].integers else { return nil }
    let holds = StridedWalk(over: shape, broadcasting: values[0].shape).map { at, _ in condition[at] != 0 }
    func chosen<Element>(_ a: [Element], _ b: [Element]) -> [Element] {
      let pairs = StridedWalk(over: shape, broadcasting: values[1].shape, values[2].shape).map { (a[$0], b[$1]) }
      return zip(holds, pairs).map { $0 ? $1.0 : $1.1 }
    }
    if let a = values[1].integers, let b = values[2].integers {
      return .integers(IntegerTensor(shape: shape, elements: chosen(a, b), kind: values[1].kind))
    }
    return .floats(Tensor(shape: shape, elements: chosen(values[1].floats.elements, values[2].floats.elements)))
  }
}
