import RelevanceKit

/// Short notation for operators in graphs that tests build.
extension RelevanceKit.Operator where Self == Relu { package static var relu: Relu { Relu() } }
extension RelevanceKit.Operator where Self == Identity { package static var identity: Identity { Identity() } }
extension RelevanceKit.Operator where Self == Dropout { package static var dropout: Dropout { Dropout() } }
extension RelevanceKit.Operator where Self == Add { package static var add: Add { Add() } }
extension RelevanceKit.Operator where Self == Subtract { package static var subtract: Subtract { Subtract() } }
extension RelevanceKit.Operator where Self == Multiply { package static var multiply: Multiply { Multiply() } }
extension RelevanceKit.Operator where Self == Divide { package static var divide: Divide { Divide() } }
extension RelevanceKit.Operator where Self == Power { package static var power: Power { Power() } }
extension RelevanceKit.Operator where Self == Minimum { package static var minimum: Minimum { Minimum() } }
extension RelevanceKit.Operator where Self == Maximum { package static var maximum: Maximum { Maximum() } }
extension RelevanceKit.Operator where Self == Negate { package static var negate: Negate { Negate() } }
extension RelevanceKit.Operator where Self == Sigmoid { package static var sigmoid: Sigmoid { Sigmoid() } }
extension RelevanceKit.Operator where Self == Tanh { package static var tanh: Tanh { Tanh() } }
extension RelevanceKit.Operator where Self == Exp { package static var exp: Exp { Exp() } }
extension RelevanceKit.Operator where Self == Log { package static var log: Log { Log() } }
extension RelevanceKit.Operator where Self == Sqrt { package static var sqrt: Sqrt { Sqrt() } }
extension RelevanceKit.Operator where Self == Abs { package static var abs: Abs { Abs() } }
extension RelevanceKit.Operator where Self == Erf { package static var erf: Erf { Erf() } }
extension RelevanceKit.Operator where Self == Reciprocal { package static var reciprocal: Reciprocal { Reciprocal() } }
extension RelevanceKit.Operator where Self == Softplus { package static var softplus: Softplus { Softplus() } }
extension RelevanceKit.Operator where Self == Mish { package static var mish: Mish { Mish() } }
extension RelevanceKit.Operator where Self == HardSwish { package static var hardSwish: HardSwish { HardSwish() } }
extension RelevanceKit.Operator where Self == Expand { package static var expand: Expand { Expand() } }

extension RelevanceKit.Operator where Self == Clip {
  package static func clip(lowest: Float, highest: Float) -> Clip { Clip(lowest: lowest, highest: highest) }
}
extension RelevanceKit.Operator where Self == LeakyRelu {
  package static func leakyRelu(alpha: Float) -> LeakyRelu { LeakyRelu(alpha: alpha) }
}
extension RelevanceKit.Operator where Self == Elu { package static func elu(alpha: Float) -> Elu { Elu(alpha: alpha) } }
extension RelevanceKit.Operator where Self == Gelu {
  package static func gelu(approximate: Bool) -> Gelu { Gelu(approximate: approximate) }
}
extension RelevanceKit.Operator where Self == HardSigmoid {
  package static func hardSigmoid(alpha: Float, beta: Float) -> HardSigmoid { HardSigmoid(alpha: alpha, beta: beta) }
}
extension RelevanceKit.Operator where Self == ParametricRelu {
  package static func parametricRelu(slope: Tensor) -> ParametricRelu { ParametricRelu(slope: slope) }
}
extension RelevanceKit.Operator where Self == Input {
  package static func input(_ shape: SymbolicShape, of kind: ElementKind = .real) -> Input { Input(shape, of: kind) }
}
extension RelevanceKit.Operator where Self == Constant {
  package static func constant(_ value: Tensor) -> Constant { Constant(value) }
  package static func integers(_ value: IntegerTensor) -> Constant { Constant(value) }
}
extension RelevanceKit.Operator where Self == Convolution {
  package static func convolution(_ layer: Convolution) -> Convolution { layer }
}
extension RelevanceKit.Operator where Self == TransposedConvolution {
  package static func transposedConvolution(_ layer: TransposedConvolution) -> TransposedConvolution { layer }
}
extension RelevanceKit.Operator where Self == Linear { package static func linear(_ layer: Linear) -> Linear { layer } }
extension RelevanceKit.Operator where Self == BatchNormalization {
  package static func batchNormalization(_ parameters: BatchNormalization) -> BatchNormalization { parameters }
}
extension RelevanceKit.Operator where Self == LayerNormalization {
  package static func layerNormalization(_ parameters: LayerNormalization) -> LayerNormalization { parameters }
}
extension RelevanceKit.Operator where Self == LocalResponseNormalization {
  package static func localResponseNormalization(_ parameters: LocalResponseNormalization) -> LocalResponseNormalization
  {
    parameters
  }
}
extension RelevanceKit.Operator where Self == MaxPool {
  package static func maxPool(_ window: Window) -> MaxPool { MaxPool(window) }
}
extension RelevanceKit.Operator where Self == AveragePool {
  package static func averagePool(_ pool: AveragePool) -> AveragePool { pool }
}
extension RelevanceKit.Operator where Self == Reduction {
  package static func reduce(_ reduction: Reduction) -> Reduction { reduction }
  package static func mean(axes: [Int], keepsAxes: Bool) -> Reduction {
    Reduction(.mean, axes: .fixed(axes), keepsAxes: keepsAxes)
  }
}
extension RelevanceKit.Operator where Self == Softmax {
  package static func softmax(_ softmax: Softmax) -> Softmax { softmax }
  package static func logSoftmax(_ softmax: Softmax) -> Softmax {
    Softmax(axis: softmax.axis, joinsTrailingAxes: softmax.joinsTrailingAxes, isLogarithm: true)
  }
}
extension RelevanceKit.Operator where Self == Concat {
  package static func concat(axis: Int) -> Concat { Concat(axis: axis) }
}
extension RelevanceKit.Operator where Self == Flatten {
  package static func flatten(axis: Int) -> Flatten { Flatten(axis: axis) }
}
extension RelevanceKit.Operator where Self == Reshape {
  package static func reshape(extents: List, allowZero: Bool) -> Reshape {
    Reshape(extents: extents, allowZero: allowZero)
  }
}
extension RelevanceKit.Operator where Self == Transpose {
  package static func transpose(order: [Int]?) -> Transpose { Transpose(order: order) }
}
extension RelevanceKit.Operator where Self == Squeeze {
  package static func squeeze(axes: [Int]?) -> Squeeze { Squeeze(axes: axes) }
}
extension RelevanceKit.Operator where Self == Unsqueeze {
  package static func unsqueeze(axes: [Int]) -> Unsqueeze { Unsqueeze(axes: axes) }
}
extension RelevanceKit.Operator where Self == Pad { package static func pad(_ pad: Pad) -> Pad { pad } }
extension RelevanceKit.Operator where Self == Slice { package static func slice(_ slice: Slice) -> Slice { slice } }
extension RelevanceKit.Operator where Self == Part {
  package static func part(axis: Int, index: Int, count: Int) -> Part { Part(axis: axis, index: index, count: count) }
}
extension RelevanceKit.Operator where Self == Gather {
  package static func gather(axis: Int) -> Gather { Gather(axis: axis) }
}
extension RelevanceKit.Operator where Self == Resize {
  package static func resize(_ resize: Resize) -> Resize { resize }
}
extension RelevanceKit.Operator where Self == Cast {
  package static func cast(_ kind: ElementKind) -> Cast { Cast(to: kind) }
}
extension RelevanceKit.Operator where Self == ShapeOf {
  package static func shape(start: Int, end: Int?) -> ShapeOf { ShapeOf(start: start, end: end) }
}
