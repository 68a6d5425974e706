import Tensors

/// condition, a, b → a where the condition holds, else b.
package struct Where: LiteralFunction {
  package init() {}
  package var kind: OperatorKind { .where }
  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    operands.dropFirst().contains(.real) ? .real : operands.dropFirst().first ?? .real
  }

  package func value(of values: [Literal]) throws -> Literal? {
    guard values.count == 3, let condition = values[0].integers else { return nil }
    let shape = try broadcastShape(try broadcastShape(values[0].shape, values[1].shape), values[2].shape)
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
