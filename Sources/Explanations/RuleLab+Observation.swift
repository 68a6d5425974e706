import Propagation
import Tensors

extension RuleLab {
  /// What one rule made of the relevance of a layer's output.
  public struct Observation: Sendable {
    /// The rule, as printed in plans.
    public let rule: String
    /// The name of the node whose relevance is looked at: the layer's first operand to which most of the
    /// experiment's rules send any.
    public let operand: String
    /// That operand's relevance, of its shape; zeros if the rule gives it none.
    public let relevance: Tensor
    /// What arrived at the layer, what left at all of its operands, and where the difference went.
    public let ledger: LedgerEntry
    /// The sum of the operand's relevance.
    public let sum: Double
    /// `Σ|R⁻| / Σ|R|`: the part of all magnitude that is negative, 0…1; 0 if there is no relevance.
    public let negativeShare: Double
    /// How concentrated the relevance is; see `Tensor.giniCoefficient()`.
    public let giniCoefficient: Double

    init(rule: String, operand: String, relevance: Tensor, ledger: LedgerEntry) {
      self.rule = rule
      self.operand = operand
      self.relevance = relevance
      self.ledger = ledger
      sum = relevance.sum()
      let positive = relevance.positivePart.sum()
      let magnitude = 2 * positive - sum
      negativeShare = magnitude == 0 ? 0 : max(0, positive - sum) / magnitude
      giniCoefficient = relevance.giniCoefficient()
    }

    /// How far the relevance is from that of another observation of the same operand; traps if shapes differ.
    public func compared(with reference: Observation) -> Comparison {
      Comparison(
        cosine: relevance.cosine(to: reference.relevance),
        distance: relevance.relativeDistance(from: reference.relevance))
    }
  }

  /// The difference between the relevance of two observations.
  public struct Comparison: Hashable, Sendable {
    /// The cosine of the angle between the two, −1…1: whether they say the same, whatever their strength.
    public let cosine: Double
    /// `‖R − R_ref‖₂ / ‖R_ref‖₂`: 0 if they are equal; infinite if only the reference is zero.
    public let distance: Double
  }
}
