import Tensors

/// What a node computes, as data. Every node has exactly one output.
///
/// Parameters (weights, axes) are part of the operator; only what depends on the image flows along the graph's edges. Where operands
/// have spatial axes, these come after batch and channels. Axes are counted from 0, negative ones from the end. Without a word on
/// operands there is one, of any shape, which the output has too.
public enum Operator: Sendable {
  /// The network's input, of the declared shape and elements; no operands.
  case input(SymbolicShape, of: ElementKind = .real)
  /// A tensor that does not depend on the input; no operands.
  case constant(Tensor)
  /// Convolution with constant weights: batch × channels × space to batch × outputs × space, with one or two spatial axes.
  case convolution(Convolution)
  /// `y = W·x + b` with constant weights: … × inputs to … × outputs.
  case linear(Linear)
  /// `max(0, x)`.
  case relu
  /// Maximum over a window, batch × channels × space; padding never wins.
  case maxPool(Window)
  /// Mean over a window, batch × channels × space.
  case averagePool(AveragePool)
  /// Mean over whole axes; over height and width it is global average pooling.
  case mean(Mean)
  /// Local response normalisation across channels, batch × channels × ….
  case localResponseNormalization(LocalResponseNormalization)
  /// Batch normalisation with its running statistics, batch × channels × ….
  case batchNormalization(BatchNormalization)
  /// Joins operands along an axis; their other extents are equal.
  case concat(axis: Int)
  /// Elementwise sum of two tensors, with broadcasting.
  case add
  /// Elementwise product of two tensors, with broadcasting.
  case multiply
  /// Joins the axes before `axis`, and those from `axis` on, into one each.
  case flatten(axis: Int)
  /// Another shape: 0 copies an extent (unless `allowZero`), −1 is inferred.
  case reshape(extents: List, allowZero: Bool)
  /// Another order of the axes: axis `i` of the output is axis `order[i]` of the operand; nil reverses them.
  case transpose(order: [Int]?)
  /// Drops axes of extent 1; nil drops all of them.
  case squeeze(axes: [Int]?)
  /// Inserts axes of extent 1.
  case unsqueeze(axes: [Int])
  /// `exp(x) / Σ exp(x)` along an axis.
  case softmax(Softmax)
  /// `log(softmax(x))` along an axis.
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
  /// The first operand's elements at the indices (the second operand) along an axis, in the place of which the indices' shape comes.
  case gather(axis: Int)
  /// The operand repeated along axes of extent 1 until it has the extents that the second operand lists.
  case expand
  /// Sum, product or extreme over whole axes.
  case reduce(Reduction)
  /// Another extent of some axes, interpolated.
  case resize(Resize)
  /// The adjoint of a convolution, with constant weights: batch × inputs × space to batch × outputs × larger space.
  case transposedConvolution(TransposedConvolution)
  /// Each position normalised over its trailing axes, then scaled and shifted.
  case layerNormalization(LayerNormalization)
  /// The extents of the operand, of its axes `start ..< end`, as a list; nil ends after the last.
  case shape(start: Int, end: Int?)
  /// Integers or truth values that do not depend on the input; no operands.
  case integers(IntegerTensor)
  /// The same values as real numbers, as integers of a type, or as truth values.
  case cast(ElementKind)
  /// What is only ever computed of values that are known before the network runs.
  case arithmetic(LiteralFunction)
}

/// The families of operators, named as in ONNX: what rule tables and printed plans speak of.
public enum OperatorKind: String, CaseIterable, Hashable, Sendable {
  /// The network's input.
  case input = "Input"
  /// A tensor that does not depend on the input.
  case constant = "Constant"
  /// Convolution with constant weights over one or two spatial axes, batch × channels × space.
  case conv = "Conv"
  /// A fully connected layer, `W·x + b` with constant weights over the last axis; also `MatMul` by a constant matrix.
  case gemm = "Gemm"
  /// `max(0, x)`.
  case relu = "Relu"
  /// Maximum over a window of the spatial axes.
  case maxPool = "MaxPool"
  /// Mean over a window of the spatial axes.
  case averagePool = "AveragePool"
  /// Mean over height and width, which stay with extent 1 or are dropped.
  case globalAveragePool = "GlobalAveragePool"
  /// Mean over other axes.
  case reduceMean = "ReduceMean"
  /// Local response normalisation across neighbouring channels.
  case lrn = "LRN"
  /// Batch normalisation by running statistics: a scale and a shift per channel.
  case batchNormalization = "BatchNormalization"
  /// Tensors joined along an axis.
  case concat = "Concat"
  /// Elementwise sum of two tensors, with broadcasting; `Sum` is a chain of these.
  case add = "Add"
  /// Elementwise product of two tensors, with broadcasting.
  case mul = "Mul"
  /// Two axes, of those before one and of those from it on.
  case flatten = "Flatten"
  /// The same elements under another shape.
  case reshape = "Reshape"
  /// Another order of the axes.
  case transpose = "Transpose"
  /// Axes of extent 1 dropped.
  case squeeze = "Squeeze"
  /// Axes of extent 1 inserted.
  case unsqueeze = "Unsqueeze"
  /// `exp(x) / Σ exp(x)` along an axis.
  case softmax = "Softmax"
  /// `x − log Σ exp(x)` along an axis.
  case logSoftmax = "LogSoftmax"
  /// Nothing in inference.
  case dropout = "Dropout"
  /// `x`.
  case identity = "Identity"
  /// `|x|`.
  case abs = "Abs"
  /// The smallest integer `≥ x`.
  case ceil = "Ceil"
  /// `min(max(x, lowest), highest)`.
  case clip = "Clip"
  /// `x` where it is positive, else `α (eˣ − 1)`.
  case elu = "Elu"
  /// The error function.
  case erf = "Erf"
  /// `eˣ`.
  case exp = "Exp"
  /// The largest integer `≤ x`.
  case floor = "Floor"
  /// `x Φ(x)`.
  case gelu = "Gelu"
  /// `min(max(α x + β, 0), 1)`.
  case hardSigmoid = "HardSigmoid"
  /// `x · min(max(x/6 + ½, 0), 1)`.
  case hardSwish = "HardSwish"
  /// `x` where it is positive, else `α x`.
  case leakyRelu = "LeakyRelu"
  /// `ln x`.
  case log = "Log"
  /// `x · tanh(log(1 + eˣ))`.
  case mish = "Mish"
  /// `−x`.
  case neg = "Neg"
  /// `x` where it is positive, else `slope · x` with a learned slope.
  case prelu = "PRelu"
  /// `1 / x`.
  case reciprocal = "Reciprocal"
  /// The nearest integer, halves to even ones.
  case round = "Round"
  /// `1 / (1 + e⁻ˣ)`.
  case sigmoid = "Sigmoid"
  /// `log(1 + eˣ)`.
  case softplus = "Softplus"
  /// `√x`.
  case sqrt = "Sqrt"
  /// The hyperbolic tangent.
  case tanh = "Tanh"
  /// Elementwise difference of two tensors, with broadcasting.
  case sub = "Sub"
  /// Elementwise quotient of two tensors, with broadcasting.
  case div = "Div"
  /// Elementwise power of two tensors, with broadcasting.
  case pow = "Pow"
  /// Elementwise minimum of two tensors, with broadcasting; of several, a chain.
  case min = "Min"
  /// Elementwise maximum of two tensors, with broadcasting; of several, a chain.
  case max = "Max"
  /// Elements added around a tensor or cut off.
  case pad = "Pad"
  /// Part of a tensor along some axes; also each output of `Split`.
  case slice = "Slice"
  /// Elements at given indices along an axis.
  case gather = "Gather"
  /// A tensor repeated along axes of extent 1.
  case expand = "Expand"
  /// Maximum over height and width, which stay with extent 1.
  case globalMaxPool = "GlobalMaxPool"
  /// Maximum over other axes.
  case reduceMax = "ReduceMax"
  /// Minimum over whole axes.
  case reduceMin = "ReduceMin"
  /// Product over whole axes.
  case reduceProd = "ReduceProd"
  /// Sum over whole axes.
  case reduceSum = "ReduceSum"
  /// Another size of the spatial axes; also `Upsample`.
  case resize = "Resize"
  /// Transposed convolution with constant weights: the adjoint of a convolution.
  case convTranspose = "ConvTranspose"
  /// Normalisation over the trailing axes, then a scale and a shift.
  case layerNormalization = "LayerNormalization"
  /// The extents of a tensor.
  case shape = "Shape"
  /// The same values as another kind of numbers.
  case cast = "Cast"
  /// Numbers at equal steps; only of values known before the network runs, like all that follow.
  case range = "Range"
  /// A tensor of a given shape filled with one value.
  case constantOfShape = "ConstantOfShape"
  /// Elements of one tensor where a condition holds, else of another.
  case `where` = "Where"
  /// Whether two numbers are equal or in order: `Equal`, `Less`, `LessOrEqual`, `Greater`, `GreaterOrEqual`.
  case comparison = "Comparison"
  /// An operation on truth values: `And`, `Or`, `Not`.
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
    switch self {
    case .flatten, .reshape, .squeeze, .unsqueeze, .dropout, .identity, .cast(.real): true
    default: false
    }
  }
}

extension OperatorKind {
  /// Functions that take each element by itself, between weighted layers.
  public static let activations: Set<OperatorKind> = [
    .relu, .clip, .elu, .gelu, .hardSigmoid, .hardSwish, .leakyRelu, .mish, .prelu, .sigmoid, .softplus, .tanh,
  ]
}
