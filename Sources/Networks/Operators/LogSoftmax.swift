import Tensors

/// `log(softmax(x))` along an axis.
package struct LogSoftmax: Operator {
  /// What it is the logarithm of.
  package let softmax: Softmax
  package init(_ softmax: Softmax) { self.softmax = softmax }
  package init(axis: Int, joinsTrailingAxes: Bool) {
    softmax = Softmax(axis: axis, joinsTrailingAxes: joinsTrailingAxes)
  }

  package var kind: OperatorKind { .logSoftmax }
  package func outputShape(of operands: [Inferred]) throws -> TensorShape { try softmax.outputShape(of: operands) }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { .real }
  package func origin(of operands: [Inferred]) throws -> Origin { try softmax.origin(of: operands) }
}

extension OperatorKind {
  /// `x − log Σ exp(x)` along an axis.
  public static let logSoftmax = OperatorKind("LogSoftmax", .probability)
}
