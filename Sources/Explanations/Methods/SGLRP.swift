import RelevancePropagation

/// Softmax-gradient LRP: seeds `p_t (1 − p_t)` at the target t and `−p_t p_c` at every other class c. *Iwana19*.
public struct SGLRP: AttributionMethod {
  public static let name = "sglrp"
  public init() {}

  public var isContrastive: Bool { true }
  public func quantity(of score: String) -> String { "probability" }
  public func warnings(under plan: RulePlan) -> [String] { plan.warningsOfSeedsAtAllClasses(of: self) }

  public func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    if trace.hasComplement {
      // The other class is the negated target.
      return try Seeds(contrasting: targets, strength: 1, by: self, in: trace) { start in
        let target = try start.requiredClass(by: self)
        return start.places.map {
          let p = Float(trace.probability(ofClass: target, item: start.item, place: $0))
          return p * (1 - p) / Float(start.places.count)
        }
      }
    }
    return try Seeds(of: targets, in: trace) { start in
      let target = try start.requiredClass(by: self)
      for place in start.places {
        let probabilities = trace.softmax(item: start.item, place: place)
        let own = probabilities[target]
        for (index, p) in probabilities.enumerated() {
          // For a region, the mean over its positions.
          let share = (index == target ? own * (1 - own) : -own * p) / Double(start.places.count)
          start.add(Float(share), toClass: index, at: place)
        }
      }
    }
  }
}

extension AttributionMethod where Self == SGLRP {
  /// Softmax-gradient LRP.
  public static var sglrp: SGLRP { SGLRP() }
}
