import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

/// A rule for layers that are linear but for a bias: what each input contributes to each output, as data.
///
/// Relevance is shared out in proportion: `R_i = Σ_g f_g Σ_j c_ij / (Σ_i' c_i'j + b_j + stabilizer) R_j` over the groups g that
/// `contributions(at:)` gives, where `c_ij` is a sum of terms “modified input × modified weight”. Everything else (which
/// nodes it fits, the products, the ledger) follows from that.
public protocol ContributionRule: Rule {
  /// The groups of contributions, each of which shares out the relevance of its outputs by itself.
  func contributions(at site: RuleSite) -> [Contributions]
}

/// Contributions that are shared out together.
public struct Contributions: Sendable {
  /// What an input contributes to an output is the sum of these.
  public var terms: [Term]
  /// Which biases count, changed like weights; nil leaves them out. What affine nodes in front of the layer add to its operand is
  /// part of them, `b_j + Σ_i o_i w_ij`.
  public var bias: WeightPart?
  /// Whether the share of a bias goes to the inputs of its output in equal parts; otherwise it goes nowhere.
  public var distributesBias: Bool
  /// What keeps denominators away from zero.
  public var stabilizer: Stabilizer
  /// The outputs whose relevance is shared out like this.
  public var outputs: Outputs
  /// What the group's result is multiplied by.
  public var factor: Float

  /// Makes a group whose biases are treated as told; `part` is what they are changed by where they count.
  public init(
    _ terms: [Term], bias: BiasTreatment = .bypassed, as part: WeightPart = .all, stabilizer: Stabilizer,
    outputs: Outputs = .all, factor: Float = 1
  ) {
    (self.terms, self.bias, distributesBias) = (terms, bias == .bypassed ? nil : part, bias == .distributed)
    (self.stabilizer, self.outputs, self.factor) = (stabilizer, outputs, factor)
  }

  /// What keeps denominators away from zero. One that is exactly zero sends nothing.
  public enum Stabilizer: Hashable, Sendable {
    /// Added to denominators that cannot be negative.
    case positive(Float)
    /// Added with the denominator's sign.
    case signed(Float)
  }

  /// Outputs by their sign.
  public enum Outputs: Hashable, Sendable {
    /// All of them.
    case all
    /// Those that are ≥ 0.
    case positive
    /// Those that are < 0.
    case negative
  }
}

/// One summand of contributions: a modified input times the modified weight between input and output.
public struct Term: Sendable {
  /// What becomes of the layer's input `x`.
  public enum Input: Sendable {
    /// x, here and below without what affine nodes in front of the layer add to it (`RuleSite.operandHasOffset`)
    case operand
    /// max(x, 0)
    case positiveOperand
    /// min(x, 0)
    case negativeOperand
    /// x − bound, where the bound broadcasts to x; whatever affine nodes add is in both.
    case operandMinus(Tensor)
    /// 1 for every input.
    case ones
  }
  /// What becomes of the input.
  public let input: Input
  /// What becomes of the weights.
  public let weights: WeightPart

  /// Makes a term.
  public init(_ input: Input, _ weights: WeightPart) { (self.input, self.weights) = (input, weights) }
}

/// What a rule does with biases.
public enum BiasTreatment: String, Hashable, ParameterValue, CaseIterable {
  /// They are no part of denominators: inputs share out all relevance.
  case bypassed
  /// They are part of denominators and keep their share.
  case absorbed
  /// They are part of denominators; their share goes to all inputs of the output in equal parts.
  case distributed
}

extension ContributionRule {
  /// Layers with weights, and those that are like them: averages have equal weights, batch normalization a diagonal.
  public static var layers: [OperatorKind] {
    OperatorKind.all(.layer) + OperatorKind.all(.average) + [.reduceSum, .batchNormalization]
  }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: Self.layers) }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    [layer.redistribute(consume relevance, by: contributions(at: layer.site))]
  }

  public func conserves(at site: RuleSite) -> Bool {
    // Every output's share must be whole, whatever its sign.
    let groups = contributions(at: site)
    let sum = { (sign: Contributions.Outputs) in
      groups.filter { $0.outputs == .all || $0.outputs == sign }.reduce(0) { $0 + $1.factor }
    }
    return abs(sum(.positive) - 1) < 1e-6 && abs(sum(.negative) - 1) < 1e-6
  }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    if site.operandHasOffset { return .anything }
    let isProportional = contributions(at: site).allSatisfy { group in
      !group.distributesBias
        && group.terms.allSatisfy {
          switch $0.input {
          case .operand, .positiveOperand, .negativeOperand: true
          case .operandMinus, .ones: false
          }
        }
    }
    return isProportional ? .nothing : .anything
  }

  public var constants: ConstantTreatment { .counted }
}

extension Contributions {
  /// The terms that can differ from zero, as simple as what is known of the operand allows.
  func terms(at site: RuleSite) -> [Term] {
    guard site.contributionIsNonNegative else { return terms }
    return terms.compactMap { term in
      switch term.input {
      case .positiveOperand: Term(.operand, term.weights)
      case .negativeOperand: nil
      default: term
      }
    }
  }

  /// Whether weights of either sign count in denominators with their sign, as they do in the layer's output.
  var countsBothSigns: Bool {
    terms.contains {
      if case .scaled(let positive, let negative) = $0.weights { positive > 0 && negative > 0 } else { false }
    }
  }

  /// Whether the denominators are `W⁺·x`, but for biases.
  func isPositiveProduct(at site: RuleSite) -> Bool {
    !site.operandHasOffset && isProduct(with: .positive, at: site)
  }

  /// Whether the denominators are the layer's output.
  func isOutput(at site: RuleSite, hasBias: Bool) -> Bool {
    (bias == .all || !hasBias) && isProduct(with: .all, at: site)
  }

  private func isProduct(with part: WeightPart, at site: RuleSite) -> Bool {
    let terms = terms(at: site)
    guard terms.count == 1, terms[0].weights == part, case .operand = terms[0].input else { return false }
    return true
  }
}
