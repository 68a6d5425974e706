import Tensors

/// What a node computes, as data. Every node has exactly one output.
///
/// Parameters (weights, axes) are part of the operator; only what depends on the image flows along the graph's edges.
public enum Operator: Sendable {
  /// The network's input.
  case input(SymbolicShape)
  /// A tensor that does not depend on the input.
  case constant(Tensor)
  /// Convolution with constant weights.
  case convolution(Convolution)
  /// `y = W·x + b` with constant weights, over the last axis.
  case linear(Linear)
  /// `max(0, x)`.
  case relu
  /// Maximum over a window; padding never wins.
  case maxPool(Window)
  /// Mean over a window.
  case averagePool(AveragePool)
  /// Mean over whole axes; over height and width it is global average pooling.
  case mean(Mean)
  /// Local response normalisation across channels.
  case localResponseNormalization(LocalResponseNormalization)
  /// Batch normalisation with its running statistics.
  case batchNormalization(BatchNormalization)
  /// Joins tensors along an axis.
  case concat(axis: Int)
  /// Elementwise sum of two tensors, with broadcasting.
  case add
  /// Elementwise product of two tensors, with broadcasting.
  case multiply
  /// Joins the axes before `axis`, and those from `axis` on, into one each.
  case flatten(axis: Int)
  /// Another shape: 0 copies an extent (unless `allowZero`), −1 is inferred.
  case reshape(extents: List, allowZero: Bool)
  /// Another order of the axes.
  case transpose(order: [Int]?)
  /// Drops axes of extent 1; nil drops all of them.
  case squeeze(axes: [Int]?)
  /// Inserts axes of extent 1.
  case unsqueeze(axes: [Int])
  /// `exp(x) / Σ exp(x)`.
  case softmax(Softmax)
  /// `log(softmax(x))`.
  case logSoftmax(Softmax)
  /// Dropout, which does nothing in inference.
  case dropout
  /// `y = x`.
  case identity
  /// A function of each element.
  case unary(UnaryFunction)
  /// `x` where it is positive, else `slope · x`, with a slope that broadcasts to the operand's shape.
  case parametricRelu(slope: Tensor)
  /// A function of pairs of elements of two tensors, with broadcasting.
  case binary(BinaryFunction)
  /// Elements added around the operand.
  case pad(Pad)
  /// Part of the operand.
  case slice(Slice)
  /// Part `index` of `count` parts of equal extent along an axis (the last may be smaller).
  case part(axis: Int, index: Int, count: Int)
  /// The operand's elements at the indices (the second operand) along an axis.
  case gather(axis: Int)
  /// The operand repeated along axes of extent 1 until it has the extents that the second operand lists.
  case expand
  /// Sum, product or extreme over whole axes.
  case reduce(Reduction)
  /// Another size of the spatial axes.
  case resize(Resize)
  /// The adjoint of a convolution, with constant weights.
  case transposedConvolution(TransposedConvolution)
  /// Each position normalised over its trailing axes, then scaled and shifted.
  case layerNormalization(LayerNormalization)
  /// The extents of the operand, of its axes `start ..< end`.
  case shape(start: Int, end: Int?)
  /// Integers that do not depend on the input.
  case integers(IntegerTensor)
  /// The same values as real numbers, integers or truth values.
  case cast(ElementKind)
  /// What is only ever computed of values that are known before the network runs.
  case arithmetic(LiteralFunction)
}

/// The families of operators, named as in ONNX: what rule tables and printed plans speak of.
public enum OperatorKind: String, CaseIterable, Hashable, Sendable {
  case input = "Input"
  case constant = "Constant"
  case conv = "Conv"
  case gemm = "Gemm"
  case relu = "Relu"
  case maxPool = "MaxPool"
  case averagePool = "AveragePool"
  case globalAveragePool = "GlobalAveragePool"
  case reduceMean = "ReduceMean"
  case lrn = "LRN"
  case batchNormalization = "BatchNormalization"
  case concat = "Concat"
  case add = "Add"
  case mul = "Mul"
  case flatten = "Flatten"
  case reshape = "Reshape"
  case transpose = "Transpose"
  case squeeze = "Squeeze"
  case unsqueeze = "Unsqueeze"
  case softmax = "Softmax"
  case logSoftmax = "LogSoftmax"
  case dropout = "Dropout"
  case identity = "Identity"
  case abs = "Abs"
  case ceil = "Ceil"
  case clip = "Clip"
  case elu = "Elu"
  case erf = "Erf"
  case exp = "Exp"
  case floor = "Floor"
  case gelu = "Gelu"
  case hardSigmoid = "HardSigmoid"
  case hardSwish = "HardSwish"
  case leakyRelu = "LeakyRelu"
  case log = "Log"
  case neg = "Neg"
  case prelu = "PRelu"
  case reciprocal = "Reciprocal"
  case round = "Round"
  case sigmoid = "Sigmoid"
  case softplus = "Softplus"
  case sqrt = "Sqrt"
  case tanh = "Tanh"
  case sub = "Sub"
  case div = "Div"
  case pow = "Pow"
  case min = "Min"
  case max = "Max"
  case pad = "Pad"
  case slice = "Slice"
  case gather = "Gather"
  case expand = "Expand"
  case globalMaxPool = "GlobalMaxPool"
  case reduceMax = "ReduceMax"
  case reduceMin = "ReduceMin"
  case reduceProd = "ReduceProd"
  case reduceSum = "ReduceSum"
  case resize = "Resize"
  case convTranspose = "ConvTranspose"
  case layerNormalization = "LayerNormalization"
  case shape = "Shape"
  case cast = "Cast"
  case range = "Range"
  case constantOfShape = "ConstantOfShape"
  case `where` = "Where"
  case comparison = "Comparison"
  case logic = "Logic"

  /// The family that a name in a rule table means; `MatMul` by a constant matrix is of the family `Gemm`.
  public init?(named name: String) {
    self.init(rawValue: name == "MatMul" ? "Gemm" : name)
  }
}

extension Operator {
  /// The family the operator belongs to.
  public var kind: OperatorKind {
    switch self {
    case .input: .input
    case .constant: .constant
    case .convolution: .conv
    case .linear: .gemm
    case .relu: .relu
    case .maxPool: .maxPool
    case .averagePool: .averagePool
    case .mean(let mean): mean.isGlobalAveragePooling ? .globalAveragePool : .reduceMean
    case .localResponseNormalization: .lrn
    case .batchNormalization: .batchNormalization
    case .concat: .concat
    case .add: .add
    case .multiply: .mul
    case .flatten: .flatten
    case .reshape: .reshape
    case .transpose: .transpose
    case .squeeze: .squeeze
    case .unsqueeze: .unsqueeze
    case .softmax: .softmax
    case .logSoftmax: .logSoftmax
    case .dropout: .dropout
    case .identity: .identity
    case .unary(let function): function.kind
    case .parametricRelu: .prelu
    case .binary(let function): function.kind
    case .pad: .pad
    case .slice, .part: .slice
    case .gather: .gather
    case .expand: .expand
    case .reduce(let reduction): reduction.kind
    case .resize: .resize
    case .transposedConvolution: .convTranspose
    case .layerNormalization: .layerNormalization
    case .shape: .shape
    case .integers: .constant
    case .cast: .cast
    case .arithmetic(let function): function.kind
    }
  }

}

extension Operator {
  /// Whether the operator has weights: a convolution or a linear layer.
  public var isWeighted: Bool { kind == .conv || kind == .gemm || kind == .convTranspose }

  /// Numbers that the model brings along: weights, biases, constants.
  package var parameters: [Tensor] {
    switch self {
    case .constant(let value): [value]
    case .convolution(let convolution): [convolution.weight] + [convolution.bias].compactMap { $0 }
    case .transposedConvolution(let convolution): [convolution.weight] + [convolution.bias].compactMap { $0 }
    case .linear(let linear): [linear.weight] + [linear.bias].compactMap { $0 }
    case .batchNormalization(let parameters): [parameters.scale, parameters.shift]
    case .layerNormalization(let parameters): [parameters.scale] + [parameters.shift].compactMap { $0 }
    case .parametricRelu(let slope): [slope]
    default: []
    }
  }

  /// Whether the output holds the input's elements unchanged and in the same order, under another shape at most.
  public var keepsElements: Bool {
    switch kind {
    case .flatten, .reshape, .squeeze, .unsqueeze, .dropout, .identity, .cast: true
    default: false
    }
  }
}

extension OperatorKind {
  /// Functions that take each element by itself, between weighted layers.
  public static let activations: Set<OperatorKind> = [
    .relu, .clip, .elu, .gelu, .hardSigmoid, .hardSwish, .leakyRelu, .prelu, .sigmoid, .softplus, .tanh,
  ]
}
