import Networks

/// Which ONNX operators can be imported, and what each becomes.
///
/// A builder reads one node. It throws a `Defect` for what ONNX does not allow and `Unsupported` for what this package
/// does not do. Whatever differs between opsets is in the builder of the operator.
enum OperatorRegistry {
  typealias Builder = @Sendable (NodeReader) throws -> Imported

  /// The opsets that the builders were written for.
  static let opsets = 7...28

  /// ONNX's own operators (domains "" and "ai.onnx") by name.
  static let builders: [String: Builder] = [
    "Add": { try $0.elementwise(.add) },
    "AveragePool": { try $0.averagePool() },
    "BatchNormalization": { try $0.batchNormalization() },
    "Concat": { try $0.concat() },
    "Constant": { try $0.constantValue() },
    "Conv": { try $0.convolution() },
    "Dropout": { try $0.dropout() },
    "Flatten": { try $0.flatten() },
    "Gemm": { try $0.gemm() },
    "GlobalAveragePool": { try $0.globalAveragePool() },
    "Identity": { try $0.passThrough(.identity) },
    "LRN": { try $0.localResponseNormalization() },
    "LogSoftmax": { try $0.softmax(Operator.logSoftmax) },
    "MatMul": { try $0.matrixProduct() },
    "MaxPool": { try $0.maxPool() },
    "Mul": { try $0.elementwise(.multiply) },
    "ReduceMean": { try $0.reduceMean() },
    "Relu": { .node(.relu, [try $0.operand(0, "X")]) },
    "Reshape": { try $0.reshape() },
    "Softmax": { try $0.softmax(Operator.softmax) },
    "Squeeze": { try $0.squeeze() },
    "Transpose": { .node(.transpose(order: try $0.attributes.ints("perm")), [try $0.operand(0, "data")]) },
    "Unsqueeze": { try $0.unsqueeze() },
  ]
}
