import RelevanceExecution
import RelevanceNetworks
import RelevanceTensors

/// A rule for layers that are linear up to a bias. It declares, as data, what each input contributes to each output.
///
/// Relevance is distributed in proportion: `R_i = Σ_g f_g Σ_j c_ij / (Σ_i' c_i'j + b_j + stabilizer) R_j`, summed over
/// the groups g that `contributions(at:)` returns, where `c_ij` is a sum of terms “modified input × modified weight”.
/// The package derives everything else from them: the nodes to which the rule applies, the products and the ledger.
public protocol ContributionRule: Rule {
  /// The groups of contributions. Each group distributes the relevance of its outputs independently.
  func contributions(at site: RuleSite) -> [Contributions]
}

/// Contributions that share one denominator for each output.
public struct Contributions: Sendable {
  /// The terms whose sum is the contribution of an input to an output.
  public var terms: [Term]
  /// The part of the biases in the denominators, defined as for weights; nil leaves biases out. If affine nodes in front
  /// of the layer add an offset `o` to its operand, the bias is `b_j + Σ_i o_i w_ij`.
  public var bias: WeightPart?
  /// Whether the share of a bias is distributed to the inputs of its output in equal parts; otherwise it is absorbed.
  public var distributesBias: Bool
  /// The stabilizer of the denominators.
  public var stabilizer: Stabilizer
  /// The outputs whose relevance the group distributes.
  public var outputs: Outputs
  /// The factor of the group's result.
  public var factor: Float

  /// Creates a group with the given treatment of biases; `part` is the part of the biases in denominators.
  public init(
    _ terms: [Term], bias: BiasTreatment = .bypassed, as part: WeightPart = .all, stabilizer: Stabilizer,
    outputs: Outputs = .all, factor: Float = 1
  ) {
    (self.terms, self.bias, distributesBias) = (terms, bias == .bypassed ? nil : part, bias == .distributed)
    (self.stabilizer, self.outputs, self.factor) = (stabilizer, outputs, factor)
  }

  /// The number that keeps denominators away from zero. An output whose denominator is exactly zero sends no relevance.
  public enum Stabilizer: Hashable, Sendable {
    /// Added to denominators that are never negative.
    case positive(Float)
    /// Added with the sign of the denominator.
    case signed(Float)
  }

  /// The outputs of a layer, selected by their sign.
  public enum Outputs: Hashable, Sendable {
    /// All outputs.
    case all
    /// Outputs ≥ 0.
    case positive
    /// Outputs < 0.
    case negative
  }
}

/// One summand of a contribution: a modified input times the modified weight between input and output.
public struct Term: Sendable {
  /// A modification of the layer's input `x`.
  public enum Input: Sendable {
    /// x. This and the next two exclude the offset that affine nodes in front of the layer add
    /// (`RuleSite.operandHasOffset`).
    case operand
    /// max(x, 0)
    case positiveOperand
    /// min(x, 0)
    case negativeOperand
    /// x − bound, where the bound broadcasts to x. Both include the offset of affine nodes.
    case operandMinus(Tensor)
    /// 1 for every input.
    case ones
  }
  /// How the input is modified.
  public let input: Input
  /// How the weights are modified.
  public let weights: WeightPart

  /// Creates a term.
  public init(_ input: Input, _ weights: WeightPart) { (self.input, self.weights) = (input, weights) }
}

/// How a rule treats biases.
public enum BiasTreatment: String, Hashable, ParameterValue, CaseIterable {
  /// Denominators exclude biases: the inputs receive all relevance.
  case bypassed
  /// Denominators include biases, and the share of a bias is absorbed.
  case absorbed
  /// Denominators include biases. The share of a bias is distributed to all inputs of its output in equal parts.
  case distributed
}

extension ContributionRule {
  /// Layers with weights, and nodes that act like them: averages have equal weights, and batch normalization has
  /// diagonal weights.
  public static var layers: [OperatorKind] {
    OperatorKind.all(.layer) + OperatorKind.all(.average) + [.reduceSum, .batchNormalization]
  }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: Self.layers) }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    [layer.redistribute(consume relevance, by: contributions(at: layer.site))]
  }

  public func conserves(at site: RuleSite) -> Bool {
    // The factors must add up to 1 for outputs of either sign.
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
  /// The terms that can differ from zero, simplified where the operand is known to be ≥ 0.
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

  /// Whether denominators include weights of both signs, as the layer's output does.
  var countsBothSigns: Bool {
    terms.contains {
      if case .scaled(let positive, let negative) = $0.weights { positive > 0 && negative > 0 } else { false }
    }
  }

  /// Whether the denominators are `W⁺·x`, apart from biases.
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
