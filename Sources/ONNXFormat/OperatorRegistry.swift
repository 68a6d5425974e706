import Networks

/// Which ONNX operators can be imported, and what each becomes.
///
/// A builder reads one node. It throws a `Defect` for what ONNX does not allow and `Unsupported` for what this package
/// does not do. Whatever differs between opsets is in the builder of the operator.
enum OperatorRegistry {
  typealias Builder = @Sendable (NodeReader) throws -> Imported

  /// The opsets that the builders were written for.
  static let opsets = 7...28

  /// Operators whose result depends on nothing but shapes, whether they are supported or not.
  static let takesShapes: Set = ["Shape", "Size"]

  /// Whether an operator has one output that can be imported, and perhaps others that cannot.
  static func hasOneResult(_ name: String) -> Bool { builders[name] != nil && name != "Split" }

  /// ONNX's own operators (domains "" and "ai.onnx") by name.
  static let builders: [String: Builder] = [
    "Abs": { try $0.elementwise(Abs()) },
    "Add": { try $0.pairwise(Add()) },
    "AveragePool": { try $0.averagePool() },
    "And": { try $0.ofShapes(Logic(.and)) },
    "BatchNormalization": { try $0.batchNormalization() },
    "Cast": { try $0.cast() },
    "Ceil": { try $0.elementwise(Ceil()) },
    "Clip": { try $0.clip() },
    "Concat": { try $0.concat() },
    "Constant": { try $0.constantValue() },
    "ConstantOfShape": { try $0.constantOfShape() },
    "Conv": { try $0.convolution() },
    "ConvTranspose": { try $0.transposedConvolution() },
    "DepthToSpace": { try $0.depthToSpace(inverse: false) },
    "Div": { try $0.pairwise(Divide()) },
    "Dropout": { try $0.dropout() },
    "Einsum": { try $0.einsum() },
    "Elu": { try $0.elu() },
    "Equal": { try $0.ofShapes(Comparison(.equal)) },
    "Erf": { try $0.elementwise(Erf()) },
    "Exp": { try $0.elementwise(Exp()) },
    "Expand": { try $0.expand() },
    "Flatten": { try $0.flatten() },
    "Floor": { try $0.elementwise(Floor()) },
    "Gather": { try $0.gather() },
    "Gelu": { try $0.gelu() },
    "Gemm": { try $0.gemm() },
    "GlobalAveragePool": { try $0.globalAveragePool() },
    "GlobalMaxPool": { try $0.globalMaxPool() },
    "Greater": { try $0.ofShapes(Comparison(.greater)) },
    "GreaterOrEqual": { try $0.ofShapes(Comparison(.greaterOrEqual)) },
    "GroupNormalization": { try $0.groupNormalization() },
    "HardSigmoid": { try $0.hardSigmoid() },
    "HardSwish": { try $0.elementwise(HardSwish()) },
    "Identity": { try $0.passThrough(Identity()) },
    "InstanceNormalization": { try $0.instanceNormalization() },
    "LRN": { try $0.localResponseNormalization() },
    "LayerNormalization": { try $0.layerNormalization() },
    "LeakyRelu": { try $0.leakyRelu() },
    "Less": { try $0.ofShapes(Comparison(.less)) },
    "LessOrEqual": { try $0.ofShapes(Comparison(.lessOrEqual)) },
    "Log": { try $0.elementwise(Log()) },
    "LogSoftmax": { .node(LogSoftmax(try $0.softmax()), [try $0.operand(0, "input")]) },
    "MatMul": { try $0.matrixProduct() },
    "Max": { try $0.chain(Maximum()) },
    "MaxPool": { try $0.maxPool() },
    "Min": { try $0.chain(Minimum()) },
    "Mish": { try $0.elementwise(Mish()) },
    "Mul": { try $0.pairwise(Multiply()) },
    "Neg": { try $0.elementwise(Negate()) },
    "Not": { try $0.ofShapes(Logic(.not)) },
    "Or": { try $0.ofShapes(Logic(.or)) },
    "PRelu": { try $0.parametricRelu() },
    "Pad": { try $0.pad() },
    "Pow": { try $0.pairwise(Power()) },
    "Range": { try $0.ofShapes(RangeOf()) },
    "Reciprocal": { try $0.elementwise(Reciprocal()) },
    "ReduceMax": { try $0.reduction(.maximum, axesAreInputSince: 18) },
    "ReduceMean": { try $0.reduceMean() },
    "ReduceMin": { try $0.reduction(.minimum, axesAreInputSince: 18) },
    "ReduceProd": { try $0.reduction(.product, axesAreInputSince: 18) },
    "ReduceSum": { try $0.reduction(.sum, axesAreInputSince: 13) },
    "Relu": { try $0.elementwise(Relu()) },
    "Reshape": { try $0.reshape() },
    "Resize": { try $0.resize() },
    "Round": { try $0.elementwise(Round()) },
    "Selu": { try $0.selu() },
    "Shape": { try $0.shape() },
    "Sigmoid": { try $0.elementwise(Sigmoid()) },
    "Slice": { try $0.slice() },
    "Softmax": { .node(try $0.softmax(), [try $0.operand(0, "input")]) },
    "Softplus": { try $0.elementwise(Softplus()) },
    "SpaceToDepth": { try $0.depthToSpace(inverse: true) },
    "Split": { try $0.split(outputs: $0.outputs) },
    "Sqrt": { try $0.elementwise(Sqrt()) },
    "Squeeze": { try $0.squeeze() },
    "Sub": { try $0.pairwise(Subtract()) },
    "Sum": { try $0.chain(Add()) },
    "Tanh": { try $0.elementwise(Tanh()) },
    "Transpose": { try $0.transpose() },
    "Unsqueeze": { try $0.unsqueeze() },
    "Upsample": { try $0.resize() },
    "Where": { try $0.ofShapes(Where()) },
  ]
}
