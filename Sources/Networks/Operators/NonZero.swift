import RelevanceTensors

/// The positions of nonzero elements: for each such element, a column with its indices.
package struct NonZero: LiteralFunction {
  package init() {}
  package var kind: OperatorKind { .nonZero }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .integer(.int64) }

  package func value(of values: [Literal]) throws -> Literal? {
    guard let x = values.first else { return nil }
    let found: [Int] =
      if let integers = x.integers {
        integers.indices.filter { integers[$0] != 0 }
      } else {
        x.floats.elements.enumerated().filter { $0.element != 0 }.map(\.offset)
      }
    let strides = x.shape.strides
    let rows = strides.indices.flatMap { axis in found.map { $0 / strides[axis] % x.shape[axis] } }
    return .integers(IntegerTensor(shape: [x.shape.rank, found.count], elements: rows))
  }
}
