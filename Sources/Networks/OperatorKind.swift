/// The family of an operator, named as in ONNX: what rule tables and printed plans speak of.
///
/// Each is declared beside its operator, and listed in `OperatorKind.all`.
public struct OperatorKind: Sendable, CustomStringConvertible {
  /// What operators of a family are to rules.
  public enum Role: Hashable, Sendable {
    /// What goes into a network, or is fixed: it takes no relevance.
    case source
    /// A layer with weights.
    case layer
    /// Scaling, with or without statistics of the input.
    case normalization
    /// A function that takes each element by itself, between layers with weights.
    case activation
    /// Any other function of each element.
    case function
    /// A mean of elements.
    case average
    /// The largest of some elements.
    case maximum
    /// A sum or other function of all elements along axes.
    case reduction
    /// A function of pairs of elements.
    case arithmetic
    /// Elements moved, repeated, joined or interpolated.
    case rearrangement
    /// What makes probabilities.
    case probability
    /// Nothing in inference.
    case nothing
    /// What is only computed of values that are known before the network runs.
    case shapes
  }
  /// ONNX's name.
  public let name: String
  /// What operators of the family are to rules.
  public let role: Role

  package init(_ name: String, _ role: Role) { (self.name, self.role) = (name, role) }

  /// The family that a name in a rule table means; `MatMul` by a constant matrix is of the family `Gemm`.
  public init?(named name: String) {
    let name = name == "MatMul" ? "Gemm" : name
    guard let known = Self.all.first(where: { $0.name == name }) else { return nil }
    self = known
  }

  public var description: String { name }

  /// The families of this package that have one of some roles.
  ///
  /// - Complexity: O(families).
  public static func all(_ roles: Role...) -> [OperatorKind] { all.filter { roles.contains($0.role) } }
}

extension OperatorKind: Hashable {
  public static func == (a: OperatorKind, b: OperatorKind) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension OperatorKind {
  /// All families of this package, in the order in which they are listed.
  public static let all: [OperatorKind] = [
    .input, .constant, .conv, .gemm, .relu, .maxPool, .averagePool, .globalAveragePool, .reduceMean, .lrn,
    .batchNormalization, .concat, .add, .mul, .flatten, .reshape, .transpose, .squeeze, .unsqueeze, .softmax,
    .logSoftmax,
    .dropout, .identity, .abs, .ceil, .clip, .elu, .erf, .exp, .floor, .gelu, .hardSigmoid, .hardSwish, .leakyRelu,
    .log,
    .mish, .neg, .prelu, .reciprocal, .round, .selu, .sigmoid, .softplus, .sqrt, .tanh, .sub, .div, .pow, .min, .max,
    .pad,
    .slice,
    .gather, .expand, .globalMaxPool, .reduceMax, .reduceMin, .reduceProd, .reduceSum, .resize, .convTranspose,
    .layerNormalization, .instanceNormalization, .groupNormalization, .depthToSpace, .spaceToDepth, .shape,
    .cast, .range, .constantOfShape, .where, .comparison, .logic,
  ]
}
