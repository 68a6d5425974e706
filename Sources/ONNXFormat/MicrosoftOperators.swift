import RelevanceNetworks

/// ONNX Runtime's own operators: those that its quantizer writes, and those that it writes when it saves an optimized
/// model.
enum MicrosoftOperators {
  static let domain = "com.microsoft"

  /// The domain of operators on channels in blocks.
  static let blocked = "com.microsoft.nchwc"

  static let own: [String: OperatorRegistry.Builder] = [
    "BiasAdd": { try $0.biasAdd() },
    "BiasGelu": { try $0.biasedGelu(approximate: false) },
    "DequantizeLinear": { try $0.dequantize() },
    "DynamicQuantizeMatMul": { try $0.dynamicallyQuantizedProduct() },
    "FastGelu": { try $0.biasedGelu(approximate: true) },
    "FusedConv": { try $0.fusedConvolution() },
    "FusedGemm": { try $0.fusedGemm() },
    "FusedMatMul": { try $0.fusedProduct() },
    "FusedMatMulActivation": { try $0.fusedProduct() },
    "Gelu": { try $0.biasedGelu(approximate: false) },
    "GroupNorm": { try $0.microsoftGroupNorm(skips: false) },
    "MatMulIntegerToFloat": { try $0.integerProductToFloat() },
    "NhwcMaxPool": { try $0.channelsLastPool { try $0.maxPool() } },
    "Pad": { try $0.taking($0.optionalOperand(0), $0.optionalOperand(1), $0.optionalOperand(2), opset: 13).pad() },
    "QGemm": { try $0.quantizedGemm() },
    "QLinearAdd": { try $0.quantizedPair(Add()) },
    "QLinearAveragePool": { try $0.quantizedPool { try $0.averagePool() } },
    "QLinearConcat": { try $0.quantizedConcat() },
    "QLinearConv": { try $0.quantizedConvolution() },
    "QLinearGlobalAveragePool": { try $0.quantizedPool { try $0.globalPool(.mean) } },
    "QLinearLeakyRelu": { try $0.quantizedFunction { try $0.node(LeakyRelu(reading: $0), "X") } },
    "QLinearMul": { try $0.quantizedPair(Multiply()) },
    "QLinearReduceMean": { try $0.quantizedFunction { try $0.reduceMean() } },
    "QLinearSigmoid": { try $0.quantizedFunction { try $0.node(Sigmoid(), "X") } },
    "QLinearSoftmax": { try $0.quantizedSoftmax() },
    "QuantizeLinear": { try $0.quantize() },
    "QuickGelu": { try $0.quickGelu() },
    "SkipGroupNorm": { try $0.microsoftGroupNorm(skips: true) },
    "SkipLayerNormalization": { try $0.skipNormalization(isSimplified: false) },
    "SkipSimplifiedLayerNormalization": { try $0.skipNormalization(isSimplified: true) },
    "TransposeMatMul": { try $0.fusedProduct() },
  ]

  static let inBlocks: [String: OperatorRegistry.Builder] = [
    "AveragePool": { try $0.averagePool() },
    "Conv": { try $0.blockedConvolution() },
    "GlobalAveragePool": { try $0.globalPool(.mean) },
    "GlobalMaxPool": { try $0.globalPool(.maximum) },
    "MaxPool": { try $0.maxPool() },
    "ReorderInput": { try $0.reorderInput() },
    "ReorderOutput": { try $0.reorderOutput() },
    "Upsample": { try $0.blockedUpsample() },
  ]
}
