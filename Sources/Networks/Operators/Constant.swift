import RelevanceTensors

/// A tensor that does not depend on the input: real numbers, integers or Boolean values. It has no operands.
package struct Constant: Operator {
  package let value: Literal
  package init(_ value: Literal) { self.value = value }
  package init(_ tensor: Tensor) { value = .floats(tensor) }
  package init(_ tensor: IntegerTensor) { value = .integers(tensor) }

  package var tensor: Tensor? { if case .floats(let tensor) = value { tensor } else { nil } }

  package var kind: OperatorKind { .constant }
  package var parameters: [Tensor] { [tensor].compactMap { $0 } }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { value.shape }
  package func outputRank(of operands: [Int?]) -> Int? { value.shape.rank }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { value.kind }
  package func literal(ofShapes operands: [Inferred]) throws -> Literal? { value }
  package func origin(of operands: [Inferred]) throws -> Origin { .elementwise }
  package func isNonNegative(_ operands: [Bool]) -> Bool {
    switch value {
    case .floats(let tensor): tensor.allElements { $0 >= 0 }
    case .integers(let tensor): tensor.elements.allSatisfy { $0 >= 0 }
    }
  }
}
