import Tensors

/// Truth values: and, or, either, with broadcasting; not.
package struct Logic: LiteralFunction {
  /// An operation on truth values, by ONNX's name.
  package enum Operation: String, CaseIterable, Sendable {
    case and = "And"
    case or = "Or"
    case exclusiveOr = "Xor"
    case not = "Not"

    func holds(_ a: Bool, _ b: Bool) -> Bool {
      switch self {
      case .and: a && b
      case .or: a || b
      case .exclusiveOr: a != b
      case .not: !a
      }
    }
  }
  package let operation: Operation
  package init(_ operation: Operation) { self.operation = operation }

  package var kind: OperatorKind { .logic }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .truth }

  package func value(of values: [Literal]) throws -> Literal? {
    guard let a = values.first?.integers else { return nil }
    if operation == .not {
      return .integers(IntegerTensor(shape: values[0].shape, elements: a.map { $0 == 0 ? 1 : 0 }, kind: .truth))
    }
    guard values.count == 2, let b = values[1].integers else { return nil }
    let shape = try broadcastShape(values[0].shape, values[1].shape)
    let elements = StridedWalk(over: shape, broadcasting: values[0].shape, values[1].shape).map {
      operation.holds(a[$0] != 0, b[$1] != 0) ? 1 : 0
    }
    return .integers(IntegerTensor(shape: shape, elements: elements, kind: .truth))
  }
}
