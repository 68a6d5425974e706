import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// The channels that relevance must pass on its way to the input.
struct ConditionOptions: ParsableArguments {
  @Option(
    name: .customLong("through"),
    help: ArgumentHelp(
      """
      Keep only relevance or gradients that pass these channels of a node, such as NODE/3 or NODE/3+7. Repeatable; all \
      conditions must hold.
      """, valueName: "node/channels"), completion: .nodes,
    transform: {
      guard let condition = Condition($0) else {
        throw ValidationError("expected NODE/CHANNEL, or NODE/3+7 for several channels")
      }
      return condition
    })
  var through: [Condition] = []

  @Flag(
    inversion: .prefixedNo,
    help: ArgumentHelp("With --through: drop relevance that bypasses these nodes on other branches."))
  var exclusive = true

  /// Explains targets by a method under the conditions.
  ///
  /// - Throws: `RelevanceKitError` for an unknown node or channel, or a method without conditions.
  func explain(_ targets: [Target], by method: any AttributionMethod, in trace: Trace) throws -> [Explanation] {
    if through.isEmpty { return try trace.explain(targets, by: method) }
    return try trace.explain(targets, by: method, throughEach: [through], exclusive: exclusive).map { $0[0] }
  }
}

extension String {
  /// The name with `_` for `/` and `:`.
  var inFileNames: String { String(map { $0 == "/" || $0 == ":" ? "_" : $0 }) }
}
