import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of “Read the conservation ledger”.
@Suite struct LedgerExamples {
  @Test func entries() throws {
    let trace = try Scene().trace

    let explanation = try trace.explain(.class(8), by: .lrp)
    let ledger = explanation.ledger
    print(explanation.score, explanation.relevance.sum(), ledger.absorbed)
    for entry in ledger where abs(entry.absorbed) > 0.01 {
      print(entry.node, entry.rule, entry.relevanceIn, entry.relevanceOut, entry.losses)
    }
    #expect(isNear(explanation.score, 14.221) && isNear(explanation.relevance.sum(), 14.154))
    #expect(isNear(ledger.absorbed, 0.067) && isNear(explanation.relevance.sum() + ledger.absorbed, explanation.score))
    #expect(ledger.filter { abs($0.absorbed) > 0.01 }.map(\.node) == ["conv4_1"])
    #expect(isNear(ledger["conv4_1"]?.losses[.zeroDenominator] ?? 0, 0.067))
  }

  @Test func comparison() throws {
    let scene = try Scene()
    let (model, input) = (scene.model, scene.input)

    let standard = RuleTable.default(pixelRange: model.preprocessing.pixelRange)
    for table in [RuleTable.epsilonPlus, .epsilonAlpha2Beta1, standard] {
      let explainer = try Explainer(model.network, rules: table)
      let ledger = try explainer.trace(input).explain(.class(8)).ledger
      let growth = (ledger.last?.magnitudeOut ?? 0) / (ledger.first?.magnitudeIn ?? 1)
      print(table.name, ledger.absorbed, ledger.losses[.bias] ?? 0, growth)
    }
    // The numbers in the article's table.
    let expected: [(RuleTable, absorbed: Double, bias: Double, growth: Double)] = [
      (.epsilonPlus, 1.806, 1.806, 1.04), (.epsilonAlpha2Beta1, 1.882, 1.924, 3.00),
      (standard, 0.067, 0, 0.995),
    ]
    for (table, absorbed, bias, growth) in expected {
      let ledger = try Explainer(model.network, rules: table).trace(input).explain(.class(8)).ledger
      let found = (ledger.last?.magnitudeOut ?? 0) / (ledger.first?.magnitudeIn ?? 1)
      #expect(isNear(ledger.absorbed, absorbed) && isNear(ledger.losses[.bias] ?? 0, bias), "\(table.name)")
      #expect(isNear(found, growth, within: 0.005), "\(table.name)")
    }
  }

  @Test func contrast() throws {
    let trace = try Scene().trace

    let contrast = try trace.explain(.class(8), by: .clrp1)
    if let last = contrast.ledger.last {
      print(last.rule, last.relevanceIn, last.relevanceOut, last.losses)
    }
    #expect(contrast.ledger.last?.rule == "max(0, ·)" && isNear(contrast.ledger.last?.relevanceOut ?? 0, 0.367))
    #expect(try trace.explain(.class(8), by: .clrp1, ledger: false).ledger.isEmpty)
  }
}

/// A class against the most likely of the others.
struct RunnerUp: AttributionMethod {
  static let name = "runner-up"
  var isContrastive: Bool { true }

  func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    try Seeds(of: targets, in: trace) { start in
      let own = try start.requiredClass(by: self)
      let others = try trace.predictions(ofItem: start.item).map(\.classIndex).filter { $0 != own }
      start.add(start.scores)
      for (place, score) in zip(start.places, start.scores) {
        start.add(-score, toClass: others[0], at: place)
      }
    }
  }
}

/// The examples of “Contrastive explanations”.
@Suite struct ContrastExamples {
  @Test func sharesInTheBoxes() throws {
    let trace = try Scene().trace

    let boxes = try [
      8: BoundingBox(left: 31, top: 24, right: 45, bottom: 47),
      0: BoundingBox(left: 1, top: 34, right: 24, bottom: 58),
    ].mapValues { try Region([$0], height: 64, width: 64) }
    for method in [.lrp, .clrp1, .clrp2] as [any AttributionMethod] {
      for explanation in try trace.explain([.class(8), .class(0)], by: method) {
        let map = try SaliencyMap(explanation)
        let share = try boxes.mapValues { try PointingScore(map, in: $0).energyShare }
        print(method, explanation.target, share[8] ?? 0, share[0] ?? 0)
      }
    }
    // The numbers in the article's table: for class 8 and class 0, in the box of the 8 and in that of the 0.
    let expected: [(any AttributionMethod, shares: [Double])] = [
      (.lrp, [0.60, 0.32, 0.54, 0.38]), (.clrp1, [0.93, 0, 0, 0.92]), (.clrp2, [0.93, 0, 0, 0.92]),
    ]
    for (method, shares) in expected {
      let found = try trace.explain([.class(8), .class(0)], by: method).flatMap { explanation in
        try [8, 0].map { try PointingScore(SaliencyMap(explanation), in: try #require(boxes[$0])).energyShare }
      }
      #expect(zip(found, shares).allSatisfy { isNear($0, $1, within: 0.006) }, "\(method): \(found)")
    }
  }

  @Test func variants() throws {
    let trace = try Scene().trace

    let against = try trace.explain(.class(8), by: CLRP1(against: .classes([0])))
    let stronger = try trace.explain(.class(8), by: CLRP1(strength: 1.1))
    let verbatim = try trace.explain(.class(8), by: CLRP2(head: .layer))
    print(against.relevance.sum(), stronger.relevance.sum(), verbatim.relevance.sum())
    let units = try trace.mostActiveUnits(at: "fc1", count: 2)
    let unit = try trace.explain(units[0].target, by: .clrp2)
    print(unit.target, unit.score, unit.quantity, unit.relevance.sum())
    #expect(isNear(against.relevance.sum(), 0.906) && isNear(verbatim.relevance.sum(), 1.318))
    #expect(stronger.relevance.sum() < 1e-6)
    #expect("\(unit.target)" == "unit:fc1/39" && unit.quantity == "activation of fc1" && isNear(unit.score, 10.888))
    #expect(throws: (any Error).self) { try trace.explain(units[0].target, by: .clrp1) }
  }

  @Test func signedMap() throws {
    let trace = try Scene().trace

    let contrast = try trace.explain(.class(8), by: .clrp1)
    let lrp = try trace.explain(.class(8), by: .lrp)
    let dual = lrp.relevance.combined(with: contrast.signedRelevance) { $0 - $1 }
    print(lrp.relevance.sum(), dual.sum(), contrast.relevance.sum())
    #expect(isNear(dual.sum(), 14.157))
  }

  @Test func customMethod() throws {
    let trace = try Scene().trace

    let rival = try trace.explain(.class(8), by: RunnerUp())
    let catalog = MethodCatalog.standard.adding(RunnerUp.self)
    let named = try catalog.method(parsing: "runner-up")
    print(named, rival.relevance.sum())
    #expect(named is RunnerUp && isNear(rival.relevance.sum(), 0.906))
    #expect(rival.method.description == "runner-up" && rival.quantity == "logit" && !rival.ledger.isEmpty)
  }
}
