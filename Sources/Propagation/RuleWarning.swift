/// What a rule has to say of a node where it leads to maps that mislead, although it can be used there.
public struct RuleWarning: Hashable, Sendable {
  /// What warnings are about; those of one topic follow one another.
  enum Topic: CaseIterable {
    case evenShares, signedPixels, normalization, derivativesOfSteps, steps, turnedSigns, other

    /// Whether one node is told of, and how many others there are.
    var isToldOnce: Bool { [.normalization, .derivativesOfSteps, .steps].contains(self) }
  }

  let topic: Topic
  let beginning: String
  let rest: String
  /// Warnings of one group are told once.
  let group: String?

  /// A sentence, without a full stop.
  public init(_ sentence: String) {
    (topic, beginning, rest, group) = (.other, sentence, "", nil)
  }

  /// A sentence that is told of one node only: where others have warnings of the same group, “(and 2 more like it)” follows its
  /// beginning.
  public init(_ beginning: String, _ rest: String, oncePer group: String) {
    (topic, self.beginning, self.rest, self.group) = (.other, beginning, rest, group)
  }

  init(_ topic: Topic, _ beginning: String, _ rest: String = "") {
    (self.topic, self.beginning, self.rest) = (topic, beginning, rest)
    group = topic.isToldOnce ? "" : nil
  }

  /// The sentences, topic by topic.
  static func sentences(_ warnings: [RuleWarning]) -> [String] {
    Topic.allCases.flatMap { topic in
      let all = warnings.filter { $0.topic == topic }
      return all.enumerated().compactMap { place, one in
        guard let group = one.group else { return one.beginning + one.rest }
        let alike = all.indices.filter { all[$0].group == group }
        guard alike.first == place else { return nil }
        return one.beginning + (alike.count > 1 ? " (and \(alike.count - 1) more like it)" : "") + one.rest
      }
    }
  }
}
