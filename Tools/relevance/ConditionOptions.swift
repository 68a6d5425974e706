import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// What relevance passes on its way to the input.
struct ConditionOptions: ParsableArguments {
  @Option(
    name: .customLong("through"),
    help: ArgumentHelp(
      """
      Explain by the relevance that passes these channels of a node only: NODE/3+7, or NODE/3 for one. Repeatable; all must hold. \
      For every method that carries relevance or gradients through the network.
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
    help: ArgumentHelp("With --through: leave out what reaches the input by branches beside these nodes."))
  var exclusive = true

  /// The targets by a method, under the conditions.
  func explain(_ targets: [Target], by method: any AttributionMethod, in trace: Trace) throws -> [Explanation] {
    if through.isEmpty { return try trace.explain(targets, by: method) }
    return try trace.explain(targets, by: method, throughEach: [through], exclusive: exclusive).map { $0[0] }
  }
}

extension String {
  /// A name without what separates folders and parts of names.
  var inFileNames: String { String(map { $0 == "/" || $0 == ":" ? "_" : $0 }) }
}
