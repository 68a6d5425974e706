import Tensors

/// indices, depth, [off, on] → along a new axis, `on` at the index and `off` elsewhere.
package struct OneHot: LiteralFunction {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .oneHot }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { operands.last ?? .real }

  package func value(of values: [Literal]) throws -> Literal? {
    guard values.count == 3, values[1].shape.count == 1, values[2].shape.count == 2 else {
      throw Misfit("expected indices, one depth and two values")
    }
    let (indices, depth) = (try wholeNumbers(values[0]), try wholeNumbers(values[1])[0])
    let x = values[0].shape
    let axis = try counted(axis, rank: x.rank + 1)
    guard depth > 0 else { throw Misfit("depth is \(depth); expected a positive number") }
    let shape = try TensorShape(checking: x.dimensions[..<axis] + [depth] + x.dimensions[axis...])
    guard shape.count <= 1 << 27 else { throw Misfit("a constant of shape \(shape) is too large") }
    let inner = x.dimensions[axis...].reduce(1, *)
    let isOn = (0..<shape.count).map { position in
      let index = indices[position / (inner * depth) * inner + position % inner]
      return position / inner % depth == (index < 0 ? index + depth : index)
    }
    if let choices = values[2].integers {
      return .integers(IntegerTensor(shape: shape, elements: isOn.map { choices[$0 ? 1 : 0] }, kind: values[2].kind))
    }
    let choices = values[2].floats.elements
    return .floats(Tensor(shape: shape, elements: isOn.map { choices[$0 ? 1 : 0] }))
  }

  /// Integers, which may be given as real numbers.
  private func wholeNumbers(_ value: Literal) throws -> [Int] {
    try value.integers
      ?? value.floats.elements.map { number in
        guard abs(number) < 0x1p62 else { throw Misfit("an index is \(number)") }
        return Int(number)
      }
  }
}
