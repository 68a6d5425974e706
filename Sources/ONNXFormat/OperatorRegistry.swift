import Networks

/// Which ONNX operators can be imported, and what each becomes.
///
/// A builder reads one node. It throws a `Defect` for what ONNX does not allow and `Unsupported` for what this package
/// does not do. Whatever differs between opsets is in the builder of the operator.
enum OperatorRegistry {
  typealias Builder = @Sendable (NodeReader) throws -> Imported

  static let opsets = 1...28

  /// Operators whose result depends on nothing but shapes, whether they are supported or not.
  static let takesShapes: Set = ["Shape", "Size"]

  /// Whether an operator has one output that can be imported, and perhaps others that cannot.
  static func hasOneResult(_ name: String) -> Bool { builders[name] != nil && name != "Split" }

  /// ONNX's own operators (domains "" and "ai.onnx") by name.
  static let builders: [String: Builder] = [
    "Abs": { try $0.node(Abs(), "X") },
    "Add": { try $0.pairwise(Add()) },
    "AveragePool": { try $0.averagePool() },
    "And": { try $0.pairwise(Logic(.and)) },
    "BatchNormalization": { try $0.batchNormalization() },
    "Cast": { try $0.node(Cast(reading: $0), "input") },
    "Ceil": { try $0.node(Ceil(), "X") },
    "Clip": { try $0.clip() },
    "Concat": { try $0.nodeOfAll(Concat(reading: $0)) },
    "Constant": { try $0.constantValue() },
    "ConstantOfShape": { try $0.constantOfShape() },
    "Conv": { try $0.convolution() },
    "ConvTranspose": { try $0.transposedConvolution() },
    "DepthToSpace": { try $0.depthToSpace(inverse: false) },
    "Div": { try $0.pairwise(Divide()) },
    "Dropout": { try $0.dropout() },
    "Einsum": { try $0.einsum() },
    "Elu": { try $0.node(Elu(reading: $0), "X") },
    "Equal": { try $0.pairwise(Comparison(.equal)) },
    "Erf": { try $0.node(Erf(), "X") },
    "Exp": { try $0.node(Exp(), "X") },
    "Expand": { try $0.node(Expand(), "input", "shape") },
    "Flatten": { try $0.node(Flatten(reading: $0), "input") },
    "Floor": { try $0.node(Floor(), "X") },
    "Gather": { try $0.node(Gather(reading: $0), "data", "indices") },
    "Gelu": { try $0.node(Gelu(reading: $0), "X") },
    "Gemm": { try $0.gemm() },
    "GlobalAveragePool": { try $0.globalPool(.mean) },
    "GlobalMaxPool": { try $0.globalPool(.maximum) },
    "Greater": { try $0.pairwise(Comparison(.greater)) },
    "GreaterOrEqual": { try $0.nodeOfAll(Comparison(.greaterOrEqual)) },
    "GroupNormalization": { try $0.groupNormalization() },
    "HardSigmoid": { try $0.node(HardSigmoid(reading: $0), "X") },
    "HardSwish": { try $0.node(HardSwish(), "X") },
    "Identity": { try $0.passThrough(Identity()) },
    "InstanceNormalization": { try $0.instanceNormalization() },
    "LRN": { try $0.node(LocalResponseNormalization(reading: $0), "X") },
    "LayerNormalization": { try $0.node(LayerNormalization(reading: $0), "X") },
    "LeakyRelu": { try $0.node(LeakyRelu(reading: $0), "X") },
    "Less": { try $0.pairwise(Comparison(.less)) },
    "LessOrEqual": { try $0.nodeOfAll(Comparison(.lessOrEqual)) },
    "Log": { try $0.node(Log(), "X") },
    "LogSoftmax": { try $0.node($0.softmax(isLogarithm: true), "input") },
    "MatMul": { try $0.matrixProduct() },
    "Max": { try $0.chain(Maximum()) },
    "MaxPool": { try $0.maxPool() },
    "Min": { try $0.chain(Minimum()) },
    "Mish": { try $0.node(Mish(), "X") },
    "Mul": { try $0.pairwise(Multiply()) },
    "Neg": { try $0.node(Negate(), "X") },
    "Not": { try $0.nodeOfAll(Logic(.not)) },
    "Or": { try $0.pairwise(Logic(.or)) },
    "PRelu": { try $0.node(ParametricRelu(reading: $0), "X") },
    "Pad": { try $0.pad() },
    "Pow": { try $0.pairwise(Power()) },
    "Range": { try $0.nodeOfAll(RangeOf()) },
    "Reciprocal": { try $0.node(Reciprocal(), "X") },
    "ReduceMax": { try $0.reduction(.maximum, axesAreInputSince: 18) },
    "ReduceMean": { try $0.reduceMean() },
    "ReduceMin": { try $0.reduction(.minimum, axesAreInputSince: 18) },
    "ReduceProd": { try $0.reduction(.product, axesAreInputSince: 18) },
    "ReduceSum": { try $0.reduction(.sum, axesAreInputSince: 13) },
    "Relu": { try $0.node(Relu(), "X") },
    "Reshape": { try $0.reshape() },
    "Resize": { try $0.resize() },
    "Round": { try $0.node(Round(), "X") },
    "Selu": { try $0.node(Selu(reading: $0), "X") },
    "Shape": { try $0.node(ShapeOf(reading: $0), "data") },
    "Sigmoid": { try $0.node(Sigmoid(), "X") },
    "Slice": { try $0.slice() },
    "Softmax": { try $0.node($0.softmax(isLogarithm: false), "input") },
    "Softplus": { try $0.node(Softplus(), "X") },
    "SpaceToDepth": { try $0.depthToSpace(inverse: true) },
    "Split": { try $0.split(outputs: $0.outputs) },
    "Sqrt": { try $0.node(Sqrt(), "X") },
    "Squeeze": { try $0.squeeze() },
    "Sub": { try $0.pairwise(Subtract()) },
    "Sum": { try $0.chain(Add()) },
    "Tanh": { try $0.node(Tanh(), "X") },
    "Transpose": { try $0.node(Transpose(reading: $0), "data") },
    "Unsqueeze": { try $0.unsqueeze() },
    "Upsample": { try $0.resize() },
    "Where": { try $0.nodeOfAll(Where()) },
  ]
}
