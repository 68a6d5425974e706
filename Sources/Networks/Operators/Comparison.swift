import Tensors

/// a, b → whether a is related to b, with broadcasting.
package struct Comparison: LiteralFunction {
  /// A relation of two numbers, by ONNX's name.
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

  package func value(of values: [Literal]) throws -> Literal? {
    guard values.count == 2 else { throw Misfit("expected 2 operands, found \(values.count)") }
    let shape = try broadcastShape(values[0].shape, values[1].shape)
    let walk = StridedWalk(over: shape, broadcasting: values[0].shape, values[1].shape)
    let truths: [Bool]
    if let a = values[0].integers, let b = values[1].integers {
      let isUnsigned = values[0].kind == .integer(.uint64)
      truths = walk.map {
        isUnsigned
          ? relation.holds(UInt(bitPattern: a[$0]), UInt(bitPattern: b[$1])) : relation.holds(a[$0], b[$1])
      }
    } else {
      let (a, b) = (values[0].floats.elements, values[1].floats.elements)
      truths = walk.map { relation.holds(a[$0], b[$1]) }
    }
    return .integers(IntegerTensor(shape: shape, elements: truths.map { $0 ? 1 : 0 }, kind: .truth))
  }
}
