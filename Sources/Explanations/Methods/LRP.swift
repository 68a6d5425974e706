import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

/// Layer-wise relevance propagation: the target's score is propagated by the explainer's table. *Bach15*, *Gu18* §3 eq.
/// 1.
///
/// If a single logit decides between two classes and is negative, the negated weights explain it, because they support
/// the class that wins. In either case, the other class's map is the negated map.
public struct LRP: AttributionMethod {
  public static let name = "lrp"
  public init() {}

  public func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    try Seeds(of: targets, in: trace) { $0.add($0.scores) }
  }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let logits = trace.plan.network.logits
    guard trace.hasComplement, let negated = try trace.negatedPropagator() else {
      return try trace.propagated(targets, by: self, ledger: ledger)
    }
    return try trace.propagated(targets, by: self, ledger: ledger) {
      seeds, count, places, propagator in
      // One backward pass, or two if logits of both signs are explained.
      guard seeds.count == 1, let own = seeds[logits] else {
        return propagator.propagate(seeds, count: count, keepsLedger: ledger)
      }
      let values = trace.forward.value(of: logits)
      let item = values.count / trace.batch
      let isNegative = values.withUnsafeElements { values in
        (0..<own.count).map { values[$0 / item / count * item + $0 % item] < 0 }
      }
      /// The seeds at logits of one sign; nil if all are 0.
      func part(whereNegative sign: Bool) -> [Node.ID: Tensor]? {
        let chosen = zip(own.elements, isNegative).map { $1 == sign ? $0 : 0 }
        return chosen.allSatisfy { $0 == 0 } ? nil : [logits: Tensor(shape: own.shape, elements: chosen)]
      }
      guard let negative = part(whereNegative: true) else {
        return propagator.propagate(seeds, count: count, keepsLedger: ledger)
      }
      let turned = trace.gated(negated, for: places).propagate(negative, count: count, keepsLedger: ledger)
      guard let positive = part(whereNegative: false) else { return turned }
      return turned + propagator.propagate(positive, count: count, keepsLedger: ledger)
    }
  }
}

extension AttributionMethod where Self == LRP {
  /// Layer-wise relevance propagation.
  public static var lrp: LRP { LRP() }
}
