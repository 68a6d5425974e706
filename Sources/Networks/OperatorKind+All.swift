extension OperatorKind {
  /// All kinds of this package, in the order in which they are listed.
  public static let all: [OperatorKind] = [
    .input, .constant, .conv, .gemm, .batchMatMul, .relu, .maxPool, .averagePool, .globalAveragePool, .reduceMean, .lrn,
    .batchNormalization, .concat, .add, .mul, .flatten, .reshape, .transpose, .squeeze, .unsqueeze, .softmax,
    .logSoftmax, .hardmax, .dropout, .identity, .abs, .ceil, .clip, .elu, .erf, .exp, .floor, .gelu, .hardSigmoid,
    .hardSwish, .leakyRelu, .log, .mish, .neg, .prelu, .reciprocal, .round, .selu, .sigmoid, .softplus, .sqrt,
    .tanh, .sub, .div, .pow, .min, .max, .pad, .slice, .gather, .expand, .globalMaxPool, .reduceMax, .reduceMin,
    .reduceProd, .reduceSum, .resize, .convTranspose, .layerNormalization, .instanceNormalization,
    .groupNormalization, .depthToSpace, .spaceToDepth, .quantizeLinear, .dequantizeLinear, .dynamicQuantizeLinear,
    .celu, .shrink, .softsign, .swish, .thresholdedRelu, .acos,
    .acosh, .asin, .asinh, .atan, .atanh, .cos, .cosh, .isInf, .isNaN, .sign, .sin, .sinh, .tan, .mod,
    .gatherElements, .gatherND, .scatterElements, .scatterND, .reverseSequence, .tile, .trilu, .where, .topK,
    .gridSample,
    .topIndices, .argMax, .argMin, .comparison, .logic, .bitwise, .not, .oneHot, .shape, .cast, .range,
    .constantOfShape,
    .eyeLike, .nonZero,
  ]
}
