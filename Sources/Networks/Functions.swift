import Foundation
import Tensors

/// A function of each element by itself; the result has the operand's shape.
public enum UnaryFunction: Hashable, Sendable {
  /// `|x|`
  case abs
  /// The smallest integer `≥ x`
  case ceil
  /// `min(max(x, lowest), highest)`
  case clip(lowest: Float, highest: Float)
  /// `x` where it is positive, else `α (eˣ − 1)`
  case elu(alpha: Float)
  /// The error function, `2/√π ∫₀ˣ e^(−t²) dt`
  case erf
  /// `eˣ`
  case exp
  /// The largest integer `≤ x`
  case floor
  /// `x Φ(x)` with the normal distribution's Φ, exactly or by the approximation with tanh
  case gelu(approximate: Bool)
  /// `min(max(α x + β, 0), 1)`
  case hardSigmoid(alpha: Float, beta: Float)
  /// `x · min(max(x/6 + ½, 0), 1)`
  case hardSwish
  /// `x` where it is positive, else `α x`
  case leakyRelu(alpha: Float)
  /// `ln x`; −∞ at 0, NaN below
  case log
  /// `x · tanh(log(1 + eˣ))`
  case mish
  /// `−x`
  case negate
  /// `1 / x`
  case reciprocal
  /// To the nearest integer, halves to even ones
  case round
  /// `1 / (1 + e⁻ˣ)`
  case sigmoid
  /// `log(1 + eˣ)`
  case softplus
  /// `√x`; NaN below 0
  case sqrt
  /// `(eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)`
  case tanh

  /// The value at `x`.
  public func callAsFunction(_ x: Float) -> Float {
    switch self {
    case .abs: Swift.abs(x)
    case .ceil: x.rounded(.up)
    case .clip(let lowest, let highest): Swift.min(Swift.max(x, lowest), highest)
    case .elu(let alpha): x > 0 ? x : alpha * Foundation.expm1(x)
    case .erf: Foundation.erf(x)
    case .exp: Foundation.exp(x)
    case .floor: x.rounded(.down)
    case .gelu(false): 0.5 * x * (1 + Foundation.erf(x * Float(0.5).squareRoot()))
    case .gelu(true): 0.5 * x * (1 + Foundation.tanh((2 / Float.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .hardSigmoid(let alpha, let beta): Swift.min(Swift.max(alpha * x + beta, 0), 1)
    case .hardSwish: x * Swift.min(Swift.max(x / 6 + 0.5, 0), 1)
    case .leakyRelu(let alpha): x > 0 ? x : alpha * x
    case .log: Foundation.log(x)
    case .mish: x * Foundation.tanh(Self.softplus(x))
    case .negate: -x
    case .reciprocal: 1 / x
    case .round: x.rounded(.toNearestOrEven)
    case .sigmoid: 1 / (1 + Foundation.exp(-x))
    case .softplus: Swift.max(x, 0) + Foundation.log1p(Foundation.exp(-Swift.abs(x)))
    case .sqrt: x.squareRoot()
    case .tanh: Foundation.tanh(x)
    }
  }

  /// Whether no value is negative.
  var isNonNegative: Bool {
    switch self {
    case .abs, .exp, .sigmoid, .softplus, .sqrt: true
    case .clip(let lowest, _): lowest >= 0
    case .hardSigmoid: true
    default: false
    }
  }

  /// Whether values ≥ 0 keep their sign.
  var keepsNonNegative: Bool {
    switch self {
    case .negate, .log: false
    case .clip(_, let highest): highest >= 0
    default: true
    }
  }

  var kind: OperatorKind {
    switch self {
    case .abs: .abs
    case .ceil: .ceil
    case .clip: .clip
    case .elu: .elu
    case .erf: .erf
    case .exp: .exp
    case .floor: .floor
    case .gelu: .gelu
    case .hardSigmoid: .hardSigmoid
    case .hardSwish: .hardSwish
    case .leakyRelu: .leakyRelu
    case .log: .log
    case .mish: .mish
    case .negate: .neg
    case .reciprocal: .reciprocal
    case .round: .round
    case .sigmoid: .sigmoid
    case .softplus: .softplus
    case .sqrt: .sqrt
    case .tanh: .tanh
    }
  }
}

/// A function of pairs of elements `a` and `b` of two tensors that broadcast; sums and products are operators of their own.
public enum BinaryFunction: Hashable, Sendable {
  /// `a − b`
  case subtract
  /// `a / b`; of integers, rounded towards zero
  case divide
  /// `a` to the power of `b`
  case power
  /// The smaller of both
  case minimum
  /// The larger of both
  case maximum

  /// The value at `(a, b)`.
  public func callAsFunction(_ a: Float, _ b: Float) -> Float {
    switch self {
    case .subtract: a - b
    case .divide: a / b
    // Squares and roots are what exporters write powers for.
    case .power: b == 2 ? a * a : b == 0.5 ? a.squareRoot() : pow(a, b)
    case .minimum: Swift.min(a, b)
    case .maximum: Swift.max(a, b)
    }
  }

  var kind: OperatorKind {
    switch self {
    case .subtract: .sub
    case .divide: .div
    case .power: .pow
    case .minimum: .min
    case .maximum: .max
    }
  }
}

/// A function that is only ever computed of values known before the network runs: what exporters write around shapes.
public enum LiteralFunction: Hashable, Sendable {
  /// start, limit, delta → start, start + delta, …
  case range
  /// shape → a tensor filled with one value
  case constantOfShape(value: Double, kind: ElementKind)
  /// condition, a, b → a where the condition holds, else b
  case choice
  /// a, b → whether a is related to b
  case comparison(Comparison)
  /// Truth values: and, or, not
  case logic(Logic)

  /// A relation of two numbers.
  public enum Comparison: String, Hashable, Sendable {
    /// `a = b`
    case equal
    /// `a < b`
    case less
    /// `a ≤ b`
    case lessOrEqual
    /// `a > b`
    case greater
    /// `a ≥ b`
    case greaterOrEqual
  }
  /// An operation on truth values.
  public enum Logic: String, Hashable, Sendable {
    /// Whether both operands are true
    case and
    /// Whether at least one operand is true
    case or
    /// Whether the only operand is false
    case not
  }

  var kind: OperatorKind {
    switch self {
    case .range: .range
    case .constantOfShape: .constantOfShape
    case .choice: .where
    case .comparison: .comparison
    case .logic: .logic
    }
  }
}
