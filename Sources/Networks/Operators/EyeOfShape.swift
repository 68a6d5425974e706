import RelevanceTensors

/// A matrix of a given shape with ones on a diagonal.
package struct EyeOfShape: LiteralFunction {
  /// The offset of the diagonal to the right of the main diagonal.
  package let diagonal: Int
  package let elements: ElementKind
  package init(diagonal: Int, kind: ElementKind) { (self.diagonal, elements) = (diagonal, kind) }

  package var kind: OperatorKind { .eyeLike }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { elements }

  package func value(of values: [Literal]) throws -> Literal? {
    guard let extents = values.first?.integers, extents.count == 2 else {
      throw Misfit("expected the shape of a matrix")
    }
    let shape = try TensorShape(checking: extents)
    guard shape.count <= 1 << 27 else { throw Misfit("a constant of shape \(shape) is too large") }
    let ones = (0..<shape.count).map { $0 % shape[1] - $0 / shape[1] == diagonal }
    if elements == .real { return .floats(Tensor(shape: shape, elements: ones.map { $0 ? 1 : 0 })) }
    return .integers(IntegerTensor(shape: shape, elements: ones.map { $0 ? 1 : 0 }, kind: elements))
  }
}
