/// The kind of an operator, with its ONNX name. Rule tables and printed plans refer to operators by kind.
///
/// Every kind is declared here and listed in `OperatorKind.all`.
public struct OperatorKind: Sendable, CustomStringConvertible {
  /// The role of a kind of operators for rules.
  public enum Role: Hashable, Sendable {
    /// An input or a constant, which has no relevance to pass on.
    case source
    /// A layer with weights.
    case layer
    /// Scaling, with or without statistics of the input.
    case normalization
    /// An elementwise function between layers with weights.
    case activation
    /// Any other elementwise function.
    case function
    /// A mean of elements.
    case average
    /// The maximum of elements.
    case maximum
    /// A sum or another function of all elements along axes.
    case reduction
    /// A function of pairs of elements.
    case arithmetic
    /// A matrix product of two tensors that both depend on the input.
    case product
    /// Elements that are moved, repeated, joined or interpolated.
    case rearrangement
    /// A truth value or an index, which changes in steps.
    case decision
    /// A function that computes probabilities.
    case probability
    /// No effect in inference.
    case nothing
    /// A function that is only computed of values that are known before the network runs.
    case shapes
  }
  /// The ONNX name.
  public let name: String
  /// The role of the operators of this kind.
  public let role: Role

  package init(_ name: String, _ role: Role) { (self.name, self.role) = (name, role) }

  /// The kind with a name in a rule table. `MatMul` by a constant matrix has the kind `Gemm`, and `MatMul` of two
  /// tensors that both depend on the input has the kind `BatchMatMul`.
  public init?(named name: String) {
    let name = name == "MatMul" ? "Gemm" : name
    guard let known = Self.all.first(where: { $0.name == name }) else { return nil }
    self = known
  }

  public var description: String { name }

  /// The kinds of this package that have one of some roles.
  ///
  /// - Complexity: O(kinds).
  public static func all(_ roles: Role...) -> [OperatorKind] { all.filter { roles.contains($0.role) } }
}

extension OperatorKind: Hashable {
  public static func == (a: OperatorKind, b: OperatorKind) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension OperatorKind {
  package static let input = OperatorKind("Input", .source)
  package static let constant = OperatorKind("Constant", .source)
  /// Convolution with constant weights over one or two spatial axes, batch × channels × space.
  public static let conv = OperatorKind("Conv", .layer)
  /// A fully connected layer, `W·x + b` with constant weights over the last axis; also `MatMul` by a constant matrix.
  public static let gemm = OperatorKind("Gemm", .layer)
  /// Matrix products along the last two axes of two tensors that both depend on the input, with broadcasting of the
  /// other axes: `MatMul`, `Gemm` and `Einsum` of two such tensors, as in attention.
  public static let batchMatMul = OperatorKind("BatchMatMul", .product)
  /// `max(0, x)`.
  public static let relu = OperatorKind("Relu", .activation)
  /// Maximum over a window of the spatial axes.
  public static let maxPool = OperatorKind("MaxPool", .maximum)
  /// Mean over a window of the spatial axes.
  public static let averagePool = OperatorKind("AveragePool", .average)
  /// Mean over height and width, which are kept with extent 1 or dropped.
  public static let globalAveragePool = OperatorKind("GlobalAveragePool", .average)
  /// Mean over other axes.
  public static let reduceMean = OperatorKind("ReduceMean", .average)
  /// Local response normalization across neighboring channels.
  public static let lrn = OperatorKind("LRN", .normalization)
  /// Batch normalization by running statistics: a scale and a shift per channel.
  public static let batchNormalization = OperatorKind("BatchNormalization", .normalization)
  /// Tensors joined along an axis.
  public static let concat = OperatorKind("Concat", .rearrangement)
  /// Elementwise sum of two tensors, with broadcasting; `Sum` is a chain of these.
  public static let add = OperatorKind("Add", .arithmetic)
  /// Elementwise product of two tensors, with broadcasting.
  public static let mul = OperatorKind("Mul", .arithmetic)
  /// A matrix: the axes before one axis are joined, and those from it on.
  public static let flatten = OperatorKind("Flatten", .rearrangement)
  /// The same elements with another shape.
  public static let reshape = OperatorKind("Reshape", .rearrangement)
  /// Another order of the axes.
  public static let transpose = OperatorKind("Transpose", .rearrangement)
  /// Axes of extent 1 dropped.
  public static let squeeze = OperatorKind("Squeeze", .rearrangement)
  /// Axes of extent 1 inserted.
  public static let unsqueeze = OperatorKind("Unsqueeze", .rearrangement)
  /// `exp(x) / Σ exp(x)` along an axis.
  public static let softmax = OperatorKind("Softmax", .probability)
  /// `x − log Σ exp(x)` along an axis.
  public static let logSoftmax = OperatorKind("LogSoftmax", .probability)
  /// 1 at the largest element along an axis, 0 elsewhere.
  public static let hardmax = OperatorKind("Hardmax", .probability)
  package static let dropout = OperatorKind("Dropout", .nothing)
  package static let identity = OperatorKind("Identity", .nothing)
  /// `|x|`.
  public static let abs = OperatorKind("Abs", .function)
  /// The smallest integer `≥ x`.
  public static let ceil = OperatorKind("Ceil", .function)
  /// `min(max(x, lowest), highest)`.
  public static let clip = OperatorKind("Clip", .activation)
  /// `x` where it is positive, otherwise `α (eˣ − 1)`.
  public static let elu = OperatorKind("Elu", .activation)
  /// The error function.
  public static let erf = OperatorKind("Erf", .function)
  /// `eˣ`.
  public static let exp = OperatorKind("Exp", .function)
  /// The largest integer `≤ x`.
  public static let floor = OperatorKind("Floor", .function)
  /// `x Φ(x)`.
  public static let gelu = OperatorKind("Gelu", .activation)
  /// `min(max(α x + β, 0), 1)`.
  public static let hardSigmoid = OperatorKind("HardSigmoid", .activation)
  /// `x · min(max(x/6 + ½, 0), 1)`.
  public static let hardSwish = OperatorKind("HardSwish", .activation)
  /// `x` where it is positive, otherwise `α x`.
  public static let leakyRelu = OperatorKind("LeakyRelu", .activation)
  /// `ln x`.
  public static let log = OperatorKind("Log", .function)
  /// `x · tanh(log(1 + eˣ))`.
  public static let mish = OperatorKind("Mish", .activation)
  /// `−x`.
  public static let neg = OperatorKind("Neg", .arithmetic)
  /// `x` where it is positive, otherwise `slope · x` with a learned slope.
  public static let prelu = OperatorKind("PRelu", .activation)
  /// `1 / x`.
  public static let reciprocal = OperatorKind("Reciprocal", .function)
  /// The nearest integer; ties round to even.
  public static let round = OperatorKind("Round", .function)
  /// `γ x` where x is positive, otherwise `γ α (eˣ − 1)`.
  public static let selu = OperatorKind("Selu", .activation)
  /// `1 / (1 + e⁻ˣ)`.
  public static let sigmoid = OperatorKind("Sigmoid", .activation)
  /// `log(1 + eˣ)`.
  public static let softplus = OperatorKind("Softplus", .activation)
  /// `√x`.
  public static let sqrt = OperatorKind("Sqrt", .function)
  /// The hyperbolic tangent.
  public static let tanh = OperatorKind("Tanh", .activation)
  /// Elementwise difference of two tensors, with broadcasting.
  public static let sub = OperatorKind("Sub", .arithmetic)
  /// Elementwise quotient of two tensors, with broadcasting.
  public static let div = OperatorKind("Div", .arithmetic)
  /// Elementwise power of two tensors, with broadcasting.
  public static let pow = OperatorKind("Pow", .arithmetic)
  /// Elementwise minimum of two tensors, with broadcasting; of several tensors, a chain.
  public static let min = OperatorKind("Min", .arithmetic)
  /// Elementwise maximum of two tensors, with broadcasting; of several tensors, a chain.
  public static let max = OperatorKind("Max", .arithmetic)
  /// Elements added around a tensor or removed.
  public static let pad = OperatorKind("Pad", .rearrangement)
  /// Part of a tensor along some axes; also each output of `Split`.
  public static let slice = OperatorKind("Slice", .rearrangement)
  /// Elements at given indices along an axis.
  public static let gather = OperatorKind("Gather", .rearrangement)
  /// A tensor repeated along axes of extent 1.
  public static let expand = OperatorKind("Expand", .rearrangement)
  /// Maximum over height and width, which are kept with extent 1.
  public static let globalMaxPool = OperatorKind("GlobalMaxPool", .maximum)
  /// Maximum over other axes.
  public static let reduceMax = OperatorKind("ReduceMax", .maximum)
  /// Minimum over whole axes.
  public static let reduceMin = OperatorKind("ReduceMin", .reduction)
  /// Product over whole axes.
  public static let reduceProd = OperatorKind("ReduceProd", .reduction)
  /// Sum over whole axes.
  public static let reduceSum = OperatorKind("ReduceSum", .reduction)
  /// Resampling of the spatial axes to another size; also `Upsample`.
  public static let resize = OperatorKind("Resize", .rearrangement)
  /// Transposed convolution with constant weights: the adjoint of a convolution.
  public static let convTranspose = OperatorKind("ConvTranspose", .layer)
  /// Normalization over the trailing axes, then a scale and a shift.
  public static let layerNormalization = OperatorKind("LayerNormalization", .normalization)
  /// Normalization of each channel over its positions, then a scale and a shift.
  public static let instanceNormalization = OperatorKind("InstanceNormalization", .normalization)
  /// Normalization of groups of channels over all positions, then a scale and a shift per channel.
  public static let groupNormalization = OperatorKind("GroupNormalization", .normalization)
  /// Channels rearranged into blocks of positions.
  public static let depthToSpace = OperatorKind("DepthToSpace", .rearrangement)
  /// Blocks of positions rearranged into channels.
  public static let spaceToDepth = OperatorKind("SpaceToDepth", .rearrangement)
  /// The nearest integers that represent real numbers.
  public static let quantizeLinear = OperatorKind("QuantizeLinear", .function)
  /// The real numbers that integers represent.
  public static let dequantizeLinear = OperatorKind("DequantizeLinear", .function)
  /// Values rounded to steps between their minimum and maximum.
  public static let dynamicQuantizeLinear = OperatorKind("DynamicQuantizeLinear", .function)
  /// `x` where it is positive, otherwise `α (exp(x/α) − 1)`.
  public static let celu = OperatorKind("Celu", .activation)
  /// `x` shifted toward 0 where its magnitude exceeds a limit, otherwise 0.
  public static let shrink = OperatorKind("Shrink", .activation)
  /// `x / (1 + |x|)`.
  public static let softsign = OperatorKind("Softsign", .activation)
  /// `x · σ(α x)`.
  public static let swish = OperatorKind("Swish", .activation)
  /// `x` where it is larger than α, otherwise 0.
  public static let thresholdedRelu = OperatorKind("ThresholdedRelu", .activation)
  /// The angle whose cosine is `x`.
  public static let acos = OperatorKind("Acos", .function)
  /// The inverse of the hyperbolic cosine.
  public static let acosh = OperatorKind("Acosh", .function)
  /// The angle whose sine is `x`.
  public static let asin = OperatorKind("Asin", .function)
  /// The inverse of the hyperbolic sine.
  public static let asinh = OperatorKind("Asinh", .function)
  /// The angle whose tangent is `x`.
  public static let atan = OperatorKind("Atan", .function)
  /// The inverse of the hyperbolic tangent.
  public static let atanh = OperatorKind("Atanh", .function)
  /// The cosine.
  public static let cos = OperatorKind("Cos", .function)
  /// The hyperbolic cosine.
  public static let cosh = OperatorKind("Cosh", .function)
  /// Whether `x` is infinite.
  public static let isInf = OperatorKind("IsInf", .decision)
  /// Whether `x` is NaN.
  public static let isNaN = OperatorKind("IsNaN", .decision)
  /// The sign of `x`.
  public static let sign = OperatorKind("Sign", .function)
  /// The sine.
  public static let sin = OperatorKind("Sin", .function)
  /// The hyperbolic sine.
  public static let sinh = OperatorKind("Sinh", .function)
  /// The tangent.
  public static let tan = OperatorKind("Tan", .function)
  /// Elementwise remainder of a division, with broadcasting.
  public static let mod = OperatorKind("Mod", .arithmetic)
  /// One element for each index, at the index's position along the other axes.
  public static let gatherElements = OperatorKind("GatherElements", .rearrangement)
  /// Slices at given positions.
  public static let gatherND = OperatorKind("GatherND", .rearrangement)
  /// A tensor with elements at given indices replaced or added to.
  public static let scatterElements = OperatorKind("ScatterElements", .rearrangement)
  /// A tensor with slices at given positions replaced or added to.
  public static let scatterND = OperatorKind("ScatterND", .rearrangement)
  /// A tensor whose first elements along an axis are reversed.
  public static let reverseSequence = OperatorKind("ReverseSequence", .rearrangement)
  /// A tensor repeated along its axes.
  public static let tile = OperatorKind("Tile", .rearrangement)
  /// Matrices with zeros above or below a diagonal.
  public static let trilu = OperatorKind("Trilu", .rearrangement)
  /// Elements of two tensors, selected by a third one.
  public static let `where` = OperatorKind("Where", .rearrangement)
  /// The largest or smallest elements along an axis.
  public static let topK = OperatorKind("TopK", .rearrangement)
  /// The indices of these elements.
  public static let topIndices = OperatorKind("TopIndices", .decision)
  /// The index of the largest element along an axis.
  public static let argMax = OperatorKind("ArgMax", .decision)
  /// The index of the smallest element along an axis.
  public static let argMin = OperatorKind("ArgMin", .decision)
  /// Interpolated values of images at given positions.
  public static let gridSample = OperatorKind("GridSample", .rearrangement)
  /// Whether a number is equal to, less than or greater than another.
  public static let comparison = OperatorKind("Comparison", .decision)
  /// And, Or, Xor of two Boolean values, and a cast to Boolean values.
  public static let logic = OperatorKind("Logic", .decision)
  /// Bitwise operations and shifts of integers.
  public static let bitwise = OperatorKind("Bitwise", .decision)
  /// The negation of a Boolean value.
  public static let not = OperatorKind("Not", .decision)
  /// One value at an index along a new axis, and another value elsewhere.
  public static let oneHot = OperatorKind("OneHot", .decision)
  package static let shape = OperatorKind("Shape", .shapes)
  /// The same values as another kind of number.
  public static let cast = OperatorKind("Cast", .rearrangement)
  // Only of values known before the network runs, like all that follow.
  package static let range = OperatorKind("Range", .shapes)
  package static let constantOfShape = OperatorKind("ConstantOfShape", .shapes)
  package static let eyeLike = OperatorKind("EyeLike", .shapes)
  package static let nonZero = OperatorKind("NonZero", .shapes)
}
