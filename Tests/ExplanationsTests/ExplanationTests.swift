import Dispatch
import Foundation
import RelevanceKit
import Synchronization
import RelevanceTestSupport
import Testing

/// Properties that explanations share, regardless of the method.
@Suite struct ExplanationTests {
  static let methods: [any AttributionMethod] = [.lrp, .clrp1, .clrp2, CLRP2(head: .layer, strength: 1)]

  @Test(arguments: SampleNetwork.allCases) func relevanceSumsToTheScore(sample: SampleNetwork) throws {
    let trace = try sample.explainer().trace(SampleNetwork.input())
    for target in 0..<trace.classes {
      let explanation = try trace.explain(.class(target), by: .lrp)
      let score = Double(trace.logits[0, target])
      #expect(Double(explanation.score) == score)
      #expect(explanation.isUnsupported == (score <= 0))
      #expect(abs(explanation.relevance.sum() - score) <= Tolerance.conservation * abs(score), "class \(target)")
      #expect(explanation.relevance.shape == [1, 3, 12, 12])
    }
  }

  /// The map of a target does not depend on whether other targets are explained with it.
  @Test(arguments: SampleNetwork.allCases, methods) func severalTargetsMatchSingleOnes(
    sample: SampleNetwork, method: any AttributionMethod
  )
    throws
  {
    let trace = try sample.explainer().trace(SampleNetwork.input(batch: 2))
    let targets = [4, 0, 6, 4].map { Target.class($0) }
    let together = try trace.explain(targets, by: method)
    #expect(together.map(\.target) == targets)
    for (target, found) in zip(targets, together) {
      let single = try trace.explain(target, by: method)
      #expect(found.scores == single.scores)
      #expect(found.signedRelevance.relativeDistance(from: single.signedRelevance) <= Tolerance.sameMap)
      #expect(found.ledger.map(\.node) == single.ledger.map(\.node))
      for (entry, alone) in zip(found.ledger, single.ledger) {
        let tolerance = Tolerance.conservation * max(alone.magnitudeIn, alone.magnitudeOut)
        #expect(abs(entry.relevanceIn - alone.relevanceIn) <= tolerance)
        #expect(abs(entry.relevanceOut - alone.relevanceOut) <= tolerance)
      }
    }
  }

  @Test(arguments: SampleNetwork.allCases, methods) func batchesMatchTheirItems(
    sample: SampleNetwork, method: any AttributionMethod
  )
    throws
  {
    let explainer = try sample.explainer()
    let batch = SampleNetwork.input(batch: 2)
    let both = try explainer.trace(batch).explain([.class(1), .class(5)], by: method)
    for item in 0..<2 {
      let singles = try explainer.trace(batch.item(item)).explain([.class(1), .class(5)], by: method)
      for (found, single) in zip(both, singles) {
        #expect(abs(found.scores[item] - single.score) <= Float(Tolerance.sameMap) * abs(single.score))
        let lrp = try explainer.trace(batch.item(item)).explain(single.target, by: .lrp).relevance
        let difference = found.signedRelevance.item(item).combined(with: single.signedRelevance, -)
        #expect(difference.largestMagnitude() <= Float(Tolerance.sameMap) * lrp.largestMagnitude())
      }
    }
  }

  @Test(arguments: SampleNetwork.allCases, methods) func bitsDoNotDependOnThreads(
    sample: SampleNetwork, method: any AttributionMethod
  )
    throws
  {
    let expected = try sample.explainer(threads: 1).trace(SampleNetwork.input(batch: 2)).explain(
      [.class(1), .class(3)], by: method)
    for threads in [2, 3, 5] {
      let trace = try sample.explainer(threads: threads).trace(SampleNetwork.input(batch: 2))
      let found = try trace.explain([.class(1), .class(3)], by: method)
      #expect(found.map(\.signedRelevance.bits) == expected.map(\.signedRelevance.bits), "\(threads) threads")
    }
  }

  /// A trace can be explained repeatedly, with other methods in between and from several threads, with the same bits.
  @Test(arguments: SampleNetwork.allCases) func explanationsDoNotChangeTheTrace(sample: SampleNetwork) throws {
    let explainer = try sample.explainer(threads: 2)
    let trace = try explainer.trace(SampleNetwork.input())
    let logits = trace.logits
    let expected = try Self.methods.map { try trace.explain(.class(2), by: $0).signedRelevance.bits }
    let found = Mutex<[Int: [UInt32]]>([:])
    DispatchQueue.concurrentPerform(iterations: 12) { index in
      let method = Self.methods[index % Self.methods.count]
      let bits = try? trace.explain(.class(2), by: method).signedRelevance.bits
      found.withLock { $0[index] = bits }
    }
    let bits = found.withLock { $0 }
    for index in 0..<12 { #expect(bits[index] == expected[index % Self.methods.count]) }
    #expect(trace.logits == logits)
  }

  @Test(arguments: SampleNetwork.allCases) func ledgerRecordsTheRelevanceFlow(sample: SampleNetwork) throws {
    let trace = try sample.explainer().trace(SampleNetwork.input())
    let explanation = try trace.explain(.class(3), by: .lrp)
    let (ledger, score) = (explanation.ledger, Double(explanation.score))
    let graph = trace.plan.network.graph
    #expect(Set(ledger.map(\.node)) == Set(trace.plan.assignments.map { graph[$0.site.id].name }))
    #expect(ledger.first?.node == graph[trace.plan.network.logits].name)
    #expect(abs((ledger.first?.relevanceIn ?? 0) - score) <= Tolerance.conservation * abs(score))
    let first = try #require(ledger.first { $0.node == "conv1" })
    #expect(abs(first.relevanceOut - explanation.relevance.sum()) <= Tolerance.conservation * abs(score))
    let absorbed = ledger.reduce(0) { $0 + $1.absorbed }
    #expect(abs(score - absorbed - explanation.relevance.sum()) <= Tolerance.conservation * abs(score))
    #expect(try trace.explain(.class(3), by: .lrp, ledger: false).ledger.isEmpty)
  }

  /// The score is the value before the softmax.
  @Test func probabilitiesAreNotExplained() throws {
    for ending in [[], [Flatten(axis: 1)]] {
      var builder = GraphBuilder(item: [3, 4, 4])
      builder.add("conv", try .seededConvolution(inputs: 3, outputs: 5, kernel: [4, 4], seed: 1))
      builder.add("softmax", .softmax(Softmax(axis: 1, joinsTrailingAxes: false)))
      for (index, operation) in ending.enumerated() { builder.add("end\(index)", operation) }
      let network = try builder.network()
      #expect(network.graph[network.logits].name == "conv")
      let trace = try Explainer(network, rules: .default(pixelRange: SampleNetwork.range)).trace(
        Seeded.tensor([1, 3, 4, 4], seed: 1))
      let explanation = try trace.explain(.class(0), by: .lrp)
      #expect(explanation.score == trace.logits[0, 0])
      #expect(
        abs(explanation.relevance.sum() - Double(explanation.score)) <= Tolerance.conservation
          * abs(Double(explanation.score)))
    }
  }

  @Test func predictionsAreRanked() {
    let ranking = Prediction.ranking(
      Tensor(shape: [5, 1], elements: [0, 1, 3, 3, -2]), layout: ScoreLayout(classes: 5))
    #expect(ranking.map(\.classIndex) == [2, 3, 1, 0, 4])
    #expect(ranking.map(\.logit) == [3, 3, 1, 0, -2])
    let probabilities = ranking.compactMap(\.probability)
    #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
    #expect(abs(probabilities[2] / probabilities[3] - 2.718281828459045) < 1e-9)
    // Logits whose exponentials would overflow.
    let large = Prediction.ranking(Tensor(shape: [2, 1], elements: [1000, 999]), layout: ScoreLayout(classes: 2))
    #expect(abs((large[0].probability ?? 0) - 0.7310585786300049) < 1e-9)
  }

  @Test(arguments: [-1, 7, 1000]) func classesThatDoNotExist(index: Int) throws {
    let trace = try SampleNetwork.pooled.explainer().trace(SampleNetwork.input())
    let error = #expect(throws: ExplanationError.self) { try trace.explain([.class(0), .class(index)]) }
    #expect(error?.description == "there is no class \(index): the network has classes 0 to 6")
    #expect(error?.category == .usage)
    #expect(try trace.explain([]).isEmpty)
  }

  /// CLRP2 is not defined if operators other than pooling and reshaping follow the last weighted layer; the other
  /// methods are.
  @Test func aHeadWithoutWeights() throws {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 5, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("largest", .maxPool(try Window(kernel: [2, 2])))
    builder.add("flatten", .flatten(axis: 1))
    let trace = try Explainer(builder.network(), rules: .default(pixelRange: SampleNetwork.range))
      .trace(Seeded.tensor([1, 3, 4, 4], seed: 1))
    let error = #expect(throws: ExplanationError.self) { try trace.explain(.class(0), by: .clrp2) }
    #expect(
      error?.description
        == "clrp2 negates the weights of the last layer before the target, but node largest (MaxPool) is between them"
    )
    #expect(error?.category == .badData)
    #expect(throws: Never.self) { try trace.explain(.class(0), by: .clrp1) }
  }

  /// The input of a final sigmoid is explained, and each class has a separate probability.
  @Test func finalSigmoidIsLeftOut() throws {
    func network(_ end: [any RelevanceKit.Operator]) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [3, 4, 4])
      builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
      builder.add("relu", .relu)
      builder.add("flatten", .flatten(axis: 1))
      builder.add("head", .seededLinear(inputs: 16, outputs: 3, seed: 2))
      for (index, operation) in end.enumerated() { builder.add("end\(index)", operation) }
      return try builder.network()
    }
    let input = Seeded.tensor([1, 3, 4, 4], seed: 1)
    func trace(_ end: [any RelevanceKit.Operator]) throws -> Trace {
      try Explainer(network(end), rules: .default(pixelRange: SampleNetwork.range)).trace(input)
    }
    let plain = try trace([])
    let ended = try trace([.sigmoid, .flatten(axis: 1)])
    #expect(ended.layout.decision == .eachClass && plain.layout.decision == .oneClass)
    #expect(ended.logits == plain.logits)
    #expect(try ended.explain(.class(1)).relevance == plain.explain(.class(1)).relevance)
    for prediction in ended.predictions() {
      let expected = 1 / (1 + exp(-Double(prediction.logit)))
      #expect(abs((prediction.probability ?? 0) - expected) < 1e-12)
    }
    #expect(abs(plain.predictions().compactMap(\.probability).reduce(0, +) - 1) < 1e-12)
  }

  /// Pixels need a box. Without one, the table does not fit the network, which affects only the methods that use it.
  @Test(arguments: MethodCatalog.general) func pixelsWithoutARange(method: any AttributionMethod) throws {
    let network = try SampleNetwork.pooled.network()
    let explainer = try Explainer(network, rules: .paper(pixelRange: nil))
    let trace = try explainer.trace(SampleNetwork.input())
    guard method.isRelevance else {
      let explained = try Explainer(network, rules: .paper(pixelRange: SampleNetwork.range)).trace(
        SampleNetwork.input())
      #expect(try trace.explain(.class(2), by: method).relevance == explained.explain(.class(2), by: method).relevance)
      return
    }
    let error = #expect(throws: RuleTableError.self) { try trace.explain(.class(2), by: method) }
    #expect(error == explainer.plan.objection as? RuleTableError)
    #expect(
      error?.description
        == "rule table paper: zB at conv1: the range of its input, one interval per channel, cannot be derived from the pixel range; specify it in a row of the table, {op: Conv, position: first, rule: zB, lower: 0, upper: 1}"
    )
    let fallback = try Explainer(network, rules: .default(pixelRange: nil))
    #expect(fallback.plan.objection == nil)
    #expect(
      fallback.plan.warnings.contains {
        $0.hasPrefix("conv1 (Conv) has rule zPlus, not zB: the range of its input, one interval per channel, cannot be")
      })
    let strict = RuleTable(
      name: "zPlus first",
      rows: [.init(.operators(.conv, position: .first), ZPlusRule())] + RuleTable.default(pixelRange: nil).rows)
    #expect(
      try fallback.trace(SampleNetwork.input()).explain(.class(2), by: method).relevance
        == Explainer(network, rules: strict).trace(SampleNetwork.input()).explain(.class(2), by: method).relevance)
  }
}
