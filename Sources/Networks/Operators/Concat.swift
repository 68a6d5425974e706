import RelevanceTensors

/// Joins operands along an axis. Their other extents are equal.
package struct Concat: Operator {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .concat }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard let first = operands.first?.shape else { throw Misfit("expected at least 1 operand, found none") }
    let axis = try counted(axis, rank: first.rank)
    var extent = 0
    for operand in operands.map(\.shape) {
      guard operand.rank == first.rank,
        operand.dimensions.indices.allSatisfy({ $0 == axis || operand[$0] == first[$0] })
      else { throw Misfit("shapes \(first) and \(operand) do not join along axis \(axis)") }
      extent += operand[axis]
    }
    return try TensorShape(checking: first.dimensions.enumerated().map { $0.offset == axis ? extent : $0.element })
  }

  package func elementKind(of operands: [ElementKind]) -> ElementKind {
    operands.contains(.real) ? .real : operands.first ?? .real
  }
  package var isLinear: Bool { true }
  package func origin(of operands: [Inferred]) throws -> Origin {
    .joined(axis: try counted(axis, rank: firstShape(operands).rank))
  }
  package func isNonNegative(_ operands: [Bool]) -> Bool { operands.allSatisfy { $0 } }

  package func range(at site: RangeSite) -> ValueRange? {
    let parts = site.operands.indices.compactMap { site.range($0) }
    guard parts.count == site.operands.count, let axis = try? counted(axis, rank: site.output.shape.rank) else {
      return nil
    }
    return .joined(parts, along: axis, extents: site.operands.map { $0.shape[axis] })
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    let axis = try counted(axis, rank: shape.rank)
    let values = operands.compactMap(\.literal)
    let lists = values.compactMap(\.integers)
    if lists.count == values.count {
      return .integers(
        IntegerTensor(shape: shape, elements: Self.joined(lists, at: axis, of: shape), kind: values[0].kind))
    }
    return .floats(Tensor(shape: shape, elements: Self.joined(values.map(\.floats.elements), at: axis, of: shape)))
  }

  /// The elements of the parts of a shape, in the order of the whole.
  static func joined<Element>(_ parts: [[Element]], at axis: Int, of whole: TensorShape) -> [Element] {
    let outer = whole.dimensions[..<axis].reduce(1, *)
    var elements: [Element] = []
    elements.reserveCapacity(whole.count)
    for index in 0..<outer {
      for part in parts {
        let run = part.count / outer
        elements += part[index * run..<(index + 1) * run]
      }
    }
    return elements
  }
}
