import RelevanceTensors

/// The network's input, with the declared shape and element kind. It has no operands.
package struct Input: Operator {
  package let shape: SymbolicShape
  package let elements: ElementKind
  package init(_ shape: SymbolicShape, of elements: ElementKind = .real) {
    (self.shape, self.elements) = (shape, elements)
  }

  package var kind: OperatorKind { .input }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    throw Misfit("an input has no operands to infer its shape from")
  }
  package func outputRank(of operands: [Int?]) -> Int? { shape.extents.count }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { elements }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
}
