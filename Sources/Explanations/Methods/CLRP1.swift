import RelevancePropagation
import RelevanceTensors

/// Contrastive LRP against other classes, among which the same score is divided: `max(0, R − λ·R_dual)`. *Gu18* §4 eq.
/// 2.
///
/// If a single logit decides between two classes, the dual is always the negated target, regardless of `against`.
public struct CLRP1: AttributionMethod {
  /// The classes that CLRP1 contrasts the target with.
  public enum Dual: Hashable, ParameterValue {
    /// All other classes in equal parts, as in the paper.
    case others
    /// Selected classes in equal parts: “why this class and not that one?”
    case classes([Int])
    /// The other classes, weighted by the magnitude of their logits. Each map is divided by its sum before the
    /// subtraction, so the result has no unit. This matches the authors' code.
    case logits
  }
  /// The classes that the target is contrasted with.
  public private(set) var against: Dual
  /// λ; the paper uses 1.
  public private(set) var strength: Float

  public static let name = "clrp1"
  public static let parameters: [Parameter<Self>] = [
    .init("against", \.against, expected: "others, logits, or numbers of classes joined by +"),
    .init("strength", \.strength, atLeast: 0),
  ]
  public init() { self.init(against: .others) }
  /// Makes the method.
  public init(against: Dual = .others, strength: Float = 1) { (self.against, self.strength) = (against, strength) }

  public var isContrastive: Bool { true }
  public func quantity(of score: String) -> String { against == .logits ? "share" : score }
  public func warnings(under plan: RulePlan) -> [String] { plan.warningsOfSeedsAtAllClasses(of: self) }

  public func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    if trace.hasComplement {
      return try Seeds(contrasting: targets, strength: strength, by: self, in: trace) { start in
        // Validates `against`, although the dual does not depend on it here.
        _ = try duals(of: start, in: trace)
        return against == .logits ? start.scores.map { _ in 1 } : start.scores
      }
    }
    return try Seeds(of: targets, in: trace) { start in
      start.add(start.scores)
      // At each position, the target is contrasted with the other classes at the same position.
      let duals = try duals(of: start, in: trace)
      for (place, score) in zip(start.places, start.scores) {
        for (index, weight) in duals { start.add(-strength * score * weight, toClass: index, at: place) }
      }
    }
  }

  /// The classes of the dual and their shares of the score.
  private func duals(of start: TargetSeed, in trace: Trace) throws -> [(class: Int, weight: Float)] {
    let own = try start.requiredClass(by: self)
    let all =
      switch against {
      case .others: Array(0..<trace.classes)
      case .classes(let classes): classes
      case .logits: [Int]()
      }
    for index in all where !(0..<trace.classes).contains(index) {
      throw ExplanationError.noSuchClass(index, classes: trace.classes)
    }
    let others = all.filter { $0 != own }
    if case .classes(let classes) = against, classes.isEmpty { throw ExplanationError.contrastWithNothing }
    if case .classes = against, others.isEmpty { throw ExplanationError.contrastWithItself(own) }
    return others.map { ($0, 1 / Float(others.count)) }
  }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    guard against == .logits, !trace.hasComplement else {
      return try trace.propagated(targets, by: self, ledger: ledger)
    }
    let propagator = try trace.propagator(for: table)
    return try trace.inGroups(targets) { group, places in
      let count = group.count
      // Targets first, then their duals, which start with the others' |logits|.
      let seeds = try Seeds(of: group + group, in: trace) { start in
        let own = try start.requiredClass(by: self)
        if start.number < count { return start.add(start.scores) }
        for place in start.places {
          for index in 0..<trace.classes where index != own {
            start.add(
              abs(trace.score(ofClass: index, at: place, item: start.item)), toClass: index, at: place)
          }
        }
      }
      let result = trace.gated(propagator, for: places).propagate(seeds.tensors, count: 2 * count, keepsLedger: false)
        .relevance
      /// `R / ΣR`
      func shares(_ item: Int, _ number: Int) -> Tensor {
        let map = result.part(item * 2 * count + number, of: trace.batch * 2 * count)
        let sum = map.sum()
        return map.map { sum == 0 ? 0 : Float(Double($0) / sum) }
      }
      return (0..<count).map { number in
        let items = (0..<trace.batch).map { item in
          shares(item, number).combined(with: shares(item, count + number)) { $0 - strength * $1 }
        }
        return AttributionMap(Tensor(joining: items).reshaped(to: trace.input.shape))
      }
    }
  }
}

extension CLRP1.Dual: LosslessStringConvertible {
  /// Reads `others`, `logits` or numbers of classes joined by `+`; nil if it is none of these.
  public init?(_ description: String) {
    switch description {
    case "others": self = .others
    case "logits": self = .logits
    default:
      let classes = description.split(separator: "+", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
      if classes.contains(where: { $0 < 0 }) { return nil }
      self = .classes(classes)
    }
  }

  public var description: String {
    switch self {
    case .others: "others"
    case .classes(let classes): classes.map(String.init).joined(separator: "+")
    case .logits: "logits"
    }
  }
}

extension AttributionMethod where Self == CLRP1 {
  /// CLRP1 with the settings of the paper.
  public static var clrp1: CLRP1 { CLRP1() }
}

extension RulePlan {
  /// Warns of seeds at all classes before a rule that divides by logits: for classes with a negative logit, the rule
  /// inverts all signs.
  func warningsOfSeedsAtAllClasses(of method: some AttributionMethod) -> [String] {
    let last = network.outermostWeightedNodes(before: network.logits).last
    return assignments.filter { last.contains($0.site.id) }.compactMap { assignment in
      let rule = assignment.rule
      // After a rectifier, no relevance arrives at negative values.
      guard !assignment.site.isRectified,
        rule is ZRule || rule is EpsilonRule || rule is GammaRule || rule is GeneralizedGammaRule
      else { return nil }
      return
        "\(method.name) starts at all classes, and \(assignment.site.node.name) divides by its logits under \(rule), "
        + "which inverts the sign of evidence for classes with a negative logit; use zPlus for this node, or use clrp2"
    }
  }
}
