import RelevanceNetworks

/// The ONNX operators that can be imported, and how each is converted.
///
/// A builder reads one node. It throws a `Defect` if the node violates ONNX's specification, and `Unsupported` if this
/// package does not support it. The builder of an operator handles the differences between opsets.
enum OperatorRegistry {
  typealias Builder = @Sendable (NodeReader) throws -> Imported

  static let opsets = 1...28

  /// Operators whose result depends only on shapes, supported or not.
  static let takesShapes: Set = ["EyeLike", "Shape", "Size"]

  /// Whether only the first output of an operator can be imported.
  static func hasOneResult(_ name: String) -> Bool { builder(named: name) != nil && !severalResults.contains(name) }
  private static let severalResults: Set = [
    "Attention", "Split", "TopK", "DynamicQuantizeLinear", "com.microsoft.SkipLayerNormalization",
    "com.microsoft.SkipSimplifiedLayerNormalization",
  ]

  /// Reasons why some operators that are common in networks for images are not supported.
  static let reasonsForNone = [
    "NonMaxSuppression":
      "it is only supported at the end of a network, where it is removed; here no layer with weights computes its "
      + "scores, or the graph computes more from the selected boxes than selecting, joining and counting them"
  ]

  /// Elementwise and pairwise functions without attributes. Their ONNX names are the names of their operator kinds.
  private static let functions: [any Operator] = [
    Abs(), Add(), ArcCosine(), ArcSine(), ArcTangent(), AreaCosine(), AreaSine(), AreaTangent(), Ceil(), Cosine(),
    Divide(), Erf(), Exp(), Floor(), HardSwish(), HyperbolicCosine(), HyperbolicSine(), IsNaN(), Log(), Mish(),
    Multiply(), Negate(), Not(), Power(), Reciprocal(), Relu(), Round(), Sigmoid(), Sign(), Sine(), Softplus(),
    Softsign(),
    Sqrt(), Subtract(), Tangent(), Tanh(),
  ]

  /// The supported operators, by domain and name. The empty domain is ONNX's own, also called "ai.onnx".
  private static let domains: [String: [String: Builder]] = [
    "": standard, MicrosoftOperators.domain: MicrosoftOperators.own,
    MicrosoftOperators.blocked: MicrosoftOperators.inBlocks,
    "org.openvinotoolkit": [
      "GroupNorm": { try $0.groupNormalization(epsilon: "eps") }, "Swish": { try $0.openVINOSwish() },
    ],
  ]

  /// All supported operators by name, with the domain in front unless it is ONNX's own.
  static let builders: [String: Builder] = domains.reduce(into: [:]) { all, domain in
    for (name, builder) in domain.value { all[domain.key.isEmpty ? name : "\(domain.key).\(name)"] = builder }
  }

  /// The builder of an operator. Some exporters omit the domain of ONNX Runtime's operators.
  static func builder(named name: String) -> Builder? { builders[name] ?? MicrosoftOperators.own[name] }

  private static let standard: [String: Builder] = {
    var builders = others
    for function in functions {
      let isPairwise = function is any PairwiseFunction
      builders[function.kind.name] = { try isPairwise ? $0.pairwise(function) : $0.node(function, "X") }
    }
    for relation in Comparison.Relation.allCases {
      builders[relation.rawValue] = { try $0.pairwise(Comparison(relation)) }
    }
    for operation in Logic.Operation.allCases {
      builders[operation.rawValue] = { try $0.pairwise(Logic(operation)) }
    }
    return builders
  }()

  private static let others: [String: Builder] = [
    "Affine": { try $0.affine() },
    "AffineGrid": { try $0.affineGrid() },
    "ArgMax": { try $0.argumentOfExtreme(isMaximum: true) },
    "ArgMin": { try $0.argumentOfExtreme(isMaximum: false) },
    "Attention": { try $0.attention() },
    "AveragePool": { try $0.averagePool() },
    "BatchNormalization": { try $0.batchNormalization() },
    "BitShift": { try $0.bitShift() },
    "BitwiseAnd": { try $0.pairwise(Bitwise(.and)) },
    "BitwiseNot": { try $0.node(BitwiseNot(), "X") },
    "BitwiseOr": { try $0.pairwise(Bitwise(.or)) },
    "BitwiseXor": { try $0.pairwise(Bitwise(.exclusiveOr)) },
    "Cast": { try $0.node(Cast(reading: $0), "input") },
    "Celu": { try $0.node(Celu(reading: $0), "X") },
    "Clip": { try $0.clip() },
    "Col2Im": { try $0.columnsToImage() },
    "Compress": { try $0.compress() },
    "Concat": { try $0.nodeOfAll(Concat(reading: $0)) },
    "Constant": { try $0.constantValue() },
    "ConstantOfShape": { try $0.constantOfShape() },
    "Conv": { try $0.convolution() },
    "ConvInteger": { try $0.integerConvolution() },
    "ConvTranspose": { try $0.transposedConvolution() },
    "Crop": { try $0.crop() },
    "CumSum": { try $0.cumulativeSum() },
    "DepthToSpace": { try $0.depthToSpace(inverse: false) },
    "DequantizeLinear": { try $0.dequantize() },
    "Dropout": { try $0.dropout() },
    "DynamicQuantizeLinear": { try $0.dynamicQuantize() },
    "Einsum": { try $0.einsum() },
    "Elu": { try $0.node(Elu(reading: $0), "X") },
    "Expand": { try $0.node(Expand(), "input", "shape") },
    "EyeLike": { try $0.eyeLike() },
    "Flatten": { try $0.node(Flatten(reading: $0), "input") },
    "Gather": { try $0.gather() },
    "GatherElements": { try $0.gatherElements() },
    "GatherND": { try $0.gatherParts() },
    "Gelu": { try $0.node(Gelu(reading: $0), "X") },
    "Gemm": { try $0.gemm() },
    "GlobalAveragePool": { try $0.globalPool(.mean) },
    "GlobalLpPool": { try $0.globalLpPool() },
    "GlobalMaxPool": { try $0.globalPool(.maximum) },
    "GridSample": { try $0.node(GridSample(reading: $0), "X", "grid") },
    "GroupNormalization": { try $0.groupNormalization() },
    "HardSigmoid": { try $0.node(HardSigmoid(reading: $0), "X") },
    "Hardmax": { try $0.hardmax() },
    "Identity": { try $0.passThrough(Identity()) },
    "ImageScaler": { try $0.imageScaler() },
    "InstanceNormalization": { try $0.instanceNormalization() },
    "IsInf": { try $0.node(IsInfinite(reading: $0), "X") },
    "LRN": { try $0.node(LocalResponseNormalization(reading: $0), "X") },
    "LayerNormalization": { try $0.node(LayerNormalization(reading: $0), "X") },
    "LeakyRelu": { try $0.node(LeakyRelu(reading: $0), "X") },
    "LogSoftmax": { try $0.node($0.softmax(isLogarithm: true), "input") },
    "LpNormalization": { try $0.lpNormalization() },
    "LpPool": { try $0.lpPool() },
    "MatMul": { try $0.matrixProduct() },
    "MatMulInteger": { try $0.integerProduct() },
    "Max": { try $0.chain(Maximum()) },
    "MaxPool": { try $0.maxPool() },
    "Mean": { try $0.mean() },
    "MeanVarianceNormalization": { try $0.meanVarianceNormalization() },
    "Min": { try $0.chain(Minimum()) },
    "Mod": { try $0.pairwise(Modulo(reading: $0)) },
    "NonZero": { try $0.node(NonZero(), "X") },
    "OneHot": { try $0.node(OneHot(axis: $0.attributes.int("axis") ?? -1), "indices", "depth", "values") },
    "PRelu": { try $0.node(ParametricRelu(reading: $0), "X") },
    "ParametricSoftplus": { try $0.parametricSoftplus() },
    "Pad": { try $0.pad() },
    "QLinearConv": { try $0.quantizedConvolution() },
    "QLinearMatMul": { try $0.quantizedProduct() },
    "QuantizeLinear": { try $0.quantize() },
    "RMSNormalization": { try $0.node(LayerNormalization(reading: $0, isCentered: false), "X") },
    "Range": { try $0.nodeOfAll(RangeOf()) },
    "ReduceL1": { try $0.composedReduction(.magnitudes) },
    "ReduceL2": { try $0.composedReduction(.length) },
    "ReduceLogSum": { try $0.composedReduction(.logarithm) },
    "ReduceLogSumExp": { try $0.composedReduction(.logarithmOfExponentials) },
    "ReduceMax": { try $0.reduction(.maximum, axesAreInputSince: 18) },
    "ReduceMean": { try $0.reduceMean() },
    "ReduceMin": { try $0.reduction(.minimum, axesAreInputSince: 18) },
    "ReduceProd": { try $0.reduction(.product, axesAreInputSince: 18) },
    "ReduceSum": { try $0.reduction(.sum, axesAreInputSince: 13) },
    "ReduceSumSquare": { try $0.composedReduction(.squares) },
    "Reshape": { try $0.reshape() },
    "Resize": { try $0.resize() },
    "ReverseSequence": { try $0.node(ReverseSequence(reading: $0), "input", "sequence_lens") },
    "RotaryEmbedding": { try $0.rotaryEmbedding() },
    "Scale": { try $0.scale() },
    "ScaledTanh": { try $0.scaledTanh() },
    "Scatter": { try $0.scatter(.along(axis: $0.attributes.int("axis") ?? 0)) },
    "ScatterElements": { try $0.scatter(.along(axis: $0.attributes.int("axis") ?? 0)) },
    "ScatterND": { try $0.scatter(.parts) },
    "Selu": { try $0.node(Selu(reading: $0), "X") },
    "Shape": { try $0.node(ShapeOf(reading: $0), "data") },
    "SimplifiedLayerNormalization": { try $0.node(LayerNormalization(reading: $0, isCentered: false), "X") },
    "Shrink": { try $0.node(Shrink(reading: $0), "input") },
    "Size": { try $0.size() },
    "Slice": { try $0.slice() },
    "Softmax": { try $0.node($0.softmax(isLogarithm: false), "input") },
    "SpaceToDepth": { try $0.depthToSpace(inverse: true) },
    "Split": { try $0.split(outputs: $0.outputs) },
    "Squeeze": { try $0.squeeze() },
    "Sum": { try $0.chain(Add()) },
    "Swish": { try $0.node(Swish(reading: $0), "X") },
    "ThresholdedRelu": { try $0.node(ThresholdedRelu(reading: $0), "X") },
    "Tile": { try $0.tile() },
    "TopK": { try $0.topElements() },
    "Transpose": { try $0.node(Transpose(reading: $0), "data") },
    "Trilu": { try $0.triangle() },
    "Unsqueeze": { try $0.unsqueeze() },
    "Upsample": { try $0.resize() },
    "Where": { try $0.nodeOfAll(Where()) },
  ]
}
