import Foundation
import Propagation

extension Explanation {
  /// What is doubtful about how relevance went through the network, a sentence each: most of the score stays behind, or relevance grows
  /// to many times the score. Empty without a ledger, and for contrasts, whose sums say nothing of either; explain the same target by LRP
  /// for these.
  ///
  /// - Complexity: O(entries of the ledger).
  public var warnings: [String] {
    guard method.isRelevance, !method.isContrastive, score != 0 else { return [] }
    return [lossWarning, growthWarning].compactMap { $0 }
  }

  /// The share of the score above which what stays behind is worth a sentence.
  private static let largeLoss = 0.5
  /// How many times the score relevance may grow to before that is worth a sentence.
  private static let largeGrowth = 5.0

  private var lossWarning: String? {
    let total = Double(scores.reduce(0, +))
    let absorbed = ledger.absorbed / (total == 0 ? Double(score) : total)
    let losses = ledger.flatMap { entry in entry.losses.map { (entry: entry, cause: $0.key, amount: $0.value) } }
    guard absorbed > Self.largeLoss, let largest = losses.max(by: { abs($0.amount) < abs($1.amount) }) else {
      return nil
    }
    let percent = String(format: absorbed > 0.995 ? "%.1f" : "%.0f", min(absorbed, 1) * 100)
    return
      "\(percent) % of the score of \(target) stays behind, most of it at node \(largest.entry.node) "
      + "(\(largest.entry.kind), \(largest.entry.rule)): \(largest.cause.explanation)"
  }

  private var growthWarning: String? {
    let start = scores.reduce(0.0) { $0 + Double(abs($1)) }
    guard start > 0, let peak = ledger.map(\.magnitudeOut).max(), peak / start > Self.largeGrowth,
      let steepest = ledger.filter({ $0.magnitudeIn > 0 }).max(by: {
        $0.magnitudeOut / $0.magnitudeIn < $1.magnitudeOut / $1.magnitudeIn
      })
    else { return nil }
    let factor = String(format: "%.0f", peak / start)
    let step = String(format: "%.2g", steepest.magnitudeOut / steepest.magnitudeIn)
    return
      "the relevance of \(target) grows to \(factor) times its score in magnitude, most at node \(steepest.node) "
      + "(\(steepest.kind), \(steepest.rule)), \(step) times; positive and negative shares cancel in its sum"
  }
}

extension AbsorptionCause {
  /// The cause as part of a sentence.
  fileprivate var explanation: String {
    switch self {
    case .bias: "its bias takes a share"
    case .stabilizer: "the stabilizer takes a share"
    case .zeroDenominator: "no input supports its outputs (zero denominator)"
    case .rule: "the rule does not conserve relevance"
    case .clipped: "negative relevance is dropped"
    case .rounding: "rounding"
    }
  }
}
