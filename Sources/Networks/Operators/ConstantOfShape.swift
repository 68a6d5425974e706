import RelevanceTensors

/// A tensor of a given shape filled with one value.
package struct ConstantOfShape: LiteralFunction {
  package let value: Double
  package let elements: ElementKind
  package init(value: Double, kind: ElementKind) { (self.value, elements) = (value, kind) }

  package var kind: OperatorKind { .constantOfShape }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { elements }

  package func value(of values: [Literal]) throws -> Literal? {
    guard let extents = values.first?.integers else { return nil }
    let shape = try TensorShape(checking: extents)
    // Some published graphs replace weights with it: a fully connected layer of VGG has 103 million.
    guard shape.count <= 1 << 27 else { throw Misfit("a constant of shape \(shape) is too large") }
    if elements == .real { return .floats(Tensor(shape: shape, repeating: Float(value))) }
    let element = elements.integerType?.held(value) ?? (value == 0 ? 0 : 1)
    return .integers(
      IntegerTensor(shape: shape, elements: Array(repeating: element, count: shape.count), kind: elements))
  }
}
