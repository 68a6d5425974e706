import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Channels set to 0, compared with sums over them: in the tiny network, a class's logit is the sum of the
/// contributions of its four channels.
@Suite struct ConceptsRunTests {
  private let tiny: TinyRun
  private static let layer = "relu"

  init() throws { tiny = try TinyRun() }

  private func journal(target: TargetChoice = .labeled, steps: Int = 2, randomOrders: Int = 3) throws -> Journal {
    var evaluation = ConceptsEvaluation()
    (evaluation.layer, evaluation.target) = (Self.layer, target)
    (evaluation.steps, evaluation.randomOrders) = (steps, randomOrders)
    return try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
  }

  /// The record of each target, with its image.
  private func targets(
    _ journal: Journal
  ) -> [(image: Int, found: ConceptsEvaluation.Record.Target)] {
    journal.records(ConceptsEvaluation.Record.self).flatMap { item, record in record.targets.map { (item, $0) } }
  }

  /// Orders by slopes, as the gradient has, by contributions, as rule z has, and by activation.
  private func orders(_ image: Int, _ classIndex: Int) -> [[Int]] {
    let channels = tiny.channels(image, classIndex)
    func falling(_ value: (Int) -> Double) -> [Int] {
      channels.indices.sorted { value($0) > value($1) || value($0) == value($1) && $0 < $1 }
    }
    return [
      falling { channels[$0].slope }, falling { channels[$0].contribution }, falling { channels[$0].activation },
    ]
  }

  @Test(arguments: [TargetChoice.labeled, .predicted]) func curvesAreSumsOfContributions(target: TargetChoice) throws {
    let counts = [0, 1, 2, 3, 4]
    let found = targets(try journal(target: target))
    #expect(found.count == (target == .labeled ? 5 : 3))
    for (image, found) in found {
      let logits = tiny.logits(tiny.input(image))
      // Channels are set to 0 in the order of the class; logits of other classes fall by their own contributions.
      let every = (0..<TinyRun.classes).map { tiny.channels(image, $0).map(\.contribution) }
      #expect(found.curves.count == 4 && found.curves.allSatisfy { $0.logits.count == counts.count })
      for (order, curve) in zip(orders(image, found.classIndex), found.curves) {
        for (step, count) in counts.enumerated() {
          let left = (0..<TinyRun.classes).map { index in
            logits[index] - order.prefix(count).reduce(0) { $0 + every[index][$1] }
          }
          let sum = left.reduce(0) { $0 + exp($1) }
          #expect(isClose(curve.logits[step], left[found.classIndex], within: 1e-4))
          #expect(isClose(curve.probabilities[step], exp(left[found.classIndex]) / sum, within: 1e-4))
        }
      }
    }
    if target == .labeled { #expect(Set(found.map(\.found.classIndex)) == [0, 1, 2, 3, 4]) }
  }

  /// If contributions add up, no order lowers the logit more, for any number of channels.
  @Test func relevanceIsTheBestOrder() throws {
    for (image, found) in targets(try journal()) {
      let contributions = tiny.channels(image, found.classIndex).map(\.contribution)
      let start = found.curves[0].logits[0]
      for count in 0...TinyRun.channels {
        let subsets = (0..<1 << TinyRun.channels).filter { $0.nonzeroBitCount == count }
        let largest =
          subsets.map { subset in
            contributions.indices.reduce(0) { $0 + (subset >> $1 & 1 == 1 ? contributions[$1] : 0) }
          }.max() ?? 0
        #expect(isClose(found.curves[1].logits[count], start - largest, within: 1e-4))
        for curve in found.curves { #expect(curve.logits[count] >= found.curves[1].logits[count] - 1e-4) }
      }
    }
  }

  /// In a random order, each of four channels is among the first `k` with probability `k`/4.
  @Test func randomOrdersAreUniform() throws {
    for (image, found) in targets(try journal(randomOrders: 1000)) {
      let contributions = tiny.channels(image, found.classIndex).map(\.contribution)
      let (start, curve) = (found.curves[3].logits[0], found.curves[3].logits)
      let (sum, squares) = contributions.reduce((0, 0)) { ($0.0 + $1, $0.1 + $1 * $1) }
      for count in 0...TinyRun.channels {
        let share = Double(count) / Double(TinyRun.channels)
        // The bound is more than five standard errors of a sample without replacement.
        #expect(abs(curve[count] - (start - share * sum)) <= 5 * squares.squareRoot() / 1000.squareRoot() + 1e-4)
      }
    }
    // The same seed draws the same orders, another seed draws other orders, and no two images share their orders.
    func random(_ seed: UInt64) throws -> [[Double]] {
      var evaluation = ConceptsEvaluation()
      (evaluation.layer, evaluation.seed, evaluation.randomOrders) = (Self.layer, seed, 1)
      return targets(try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))).map {
        $0.found.curves[3].logits
      }
    }
    let once = try random(1)
    #expect(try random(1) == once)
    #expect(try random(2) != once)
  }

  @Test func tablesAreMeans() throws {
    let journal = try journal(steps: 1)
    let all = targets(journal).map(\.found)
    let results = journal.results(resamples: 50)
    #expect(
      results.tables.map(\.title) == [
        "Change of the logit", "Probability", "Change of the logit by number of channels set to 0",
        "Probability by number of channels set to 0",
      ])
    let names = ["gradient", "lrp", "activation", "random"]
    let counts = [0, 1, 2, 4]
    func mean(_ value: (ConceptsEvaluation.Record.Target) -> Double) -> Double {
      all.map(value).reduce(0, +) / Double(all.count)
    }
    var means: [String: (logit: Double, probability: Double)] = [:]
    for (order, name) in names.enumerated() {
      for (step, count) in counts.enumerated() {
        let logit = mean { $0.curves[order].logits[step] - $0.curves[order].logits[0] }
        let probability = mean { $0.curves[order].probabilities[step] }
        #expect(isClose(try number(results.tables[2], count, name), logit))
        #expect(isClose(try number(results.tables[3], count, name), probability))
      }
      // The distances from 1 to 2 channels and from 2 to 4 are equal on a logarithmic axis.
      func area(_ values: [Double]) -> Double { (values[1] + values[2]) / 4 + (values[2] + values[3]) / 4 }
      let logit = mean { area($0.curves[order].logits) - $0.curves[order].logits[0] }
      let probability = mean { area($0.curves[order].probabilities) }
      means[name] = (logit, probability)
      #expect(isClose(try results.tables[0].value(name, "mean"), logit))
      #expect(isClose(try results.tables[1].value(name, "mean"), probability))
    }
    for name in names {
      for rival in ["activation", "random", "lrp"] {
        guard let own = means[name], let other = means[rival] else { continue }
        let found = try results.tables.prefix(2).map { try $0.value(name, "mean, less \(rival)") }
        if name == rival {
          #expect(found[0].isNaN && found[1].isNaN)
        } else {
          #expect(isClose(found[0], own.logit - other.logit) && isClose(found[1], own.probability - other.probability))
        }
      }
    }
    #expect(results.charts.map(\.name) == ["logit-by-channels", "probability-by-channels"])
    #expect(results.notes[1].hasPrefix("The layer relu has 4 channels."))
  }

  private func number(_ table: ResultTable, _ count: Int, _ column: String) throws -> Double {
    let index = try #require(table.columns.firstIndex(of: column))
    let row = try #require(table.rows.first { $0[0] == .count(count) })
    guard case .estimate(let estimate) = row[index] else { return .nan }
    return estimate.value
  }

  @Test(arguments: [
    (1, 1, [0, 1]), (2, 1, [0, 1, 2]), (3, 1, [0, 1, 2, 3]), (64, 1, [0, 1, 2, 4, 8, 16, 32, 64]),
    (100, 1, [0, 1, 2, 4, 8, 16, 32, 64, 100]), (16, 2, [0, 1, 2, 3, 4, 6, 8, 11, 16]),
    (10, 100, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  ]) func stepsAreGeometric(channels: Int, perDoubling: Int, counts: [Int]) {
    let steps = ChannelSteps(channels: channels, perDoubling: perDoubling)
    #expect(steps.counts == counts)
    // The mean of a constant is the constant, and the mean of the logarithm of the number of channels is half of its
    // maximum.
    #expect(isClose(steps.mean(of: counts.map { _ in 3 }), 3))
    #expect(isClose(steps.mean(of: counts.map { log(Double(max($0, 1))) }), log(Double(channels)) / 2))
  }

  @Test func impossibleEvaluationsAreErrors() throws {
    func refusal(_ layer: String, _ methods: [any AttributionMethod]) -> String {
      var evaluation = ConceptsEvaluation()
      evaluation.layer = layer
      let subject = Subject(tiny.subject.explainer, methods: methods)
      return
        (#expect(throws: (any Error).self) { _ = try evaluation.prepared(subject, on: tiny.data) }
        as? any RelevanceKitError)?.description ?? "no RelevanceKitError"
    }
    #expect(refusal("rely", [.lrp]).contains("did you mean relu"))
    #expect(refusal("head", [.lrp]).contains("expected a node between the input and the logits"))
    #expect(
      refusal("relu", [.lrp, .random]).hasPrefix(
        "random does not compute relevance of channels; expected methods such as"))
  }
}
