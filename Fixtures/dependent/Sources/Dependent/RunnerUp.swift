import RelevanceKit

/// Relevance that supports a class more than the most likely other class, whose seed is a multiple of the same score:
/// `max(0, R − λ·R')`.
struct RunnerUp: AttributionMethod {
  static let name = "runner-up"
  static let parameters: [Parameter<Self>] = [.init("strength", \.strength, atLeast: 0)]
  var strength: Float = 1

  var isContrastive: Bool { true }

  func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    try Seeds(of: targets, in: trace) { start in
      let own = try start.requiredClass(by: self)
      let others = try trace.predictions(ofItem: start.item).map(\.classIndex).filter { $0 != own }
      start.add(start.scores)
      for (place, score) in zip(start.places, start.scores) {
        start.add(-strength * score, toClass: others[0], at: place)
      }
    }
  }
}
