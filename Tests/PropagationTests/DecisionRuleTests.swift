import RelevanceKit
import RelevanceTestSupport
import Testing

/// Relevance at comparisons, choices and indices of extremes; expected values are computed by hand.
@Suite struct DecisionRuleTests {
  private static let table = RuleTable.default(pixelRange: nil)
  private let x = Tensor(shape: [2, 4], elements: [1, -2, 3, -4, -1, 2, -3, 4])

  /// A choice sends all relevance to the values that it selected, for each seed separately; compared values receive
  /// nothing.
  @Test func choicesPassToSelectedValues() throws {
    var builder = GraphBuilder(item: [4])
    let zero = builder.constant("zero", Tensor(shape: [], elements: [0]))
    let holds = builder.add("holds", Comparison(.greater), builder.input, zero)
    let turned = builder.add("turned", .negate, builder.input)
    builder.add("choice", Where(), holds, builder.input, turned)
    let walk = try Walk(builder.network(), Self.table, x)
    #expect(walk.value("choice").elements == [1, 2, 3, 4, 1, 2, 3, 4])
    let r = Tensor(shape: [4, 4], elements: (0..<16).map(Float.init))
    #expect(walk.relevance(from: "choice", r, count: 2) == r)
  }

  /// The relevance of a selected constant is absorbed.
  @Test func selectedConstantsAbsorbRelevance() throws {
    var builder = GraphBuilder(item: [4])
    let zero = builder.constant("zero", Tensor(shape: [1], elements: [0]))
    let holds = builder.add("holds", Comparison(.lessOrEqual), builder.input, zero)
    builder.add("choice", Where(), holds, zero, builder.input)
    let walk = try Walk(builder.network(), Self.table, x)
    let r = Tensor(shape: [2, 4], elements: [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(walk.relevance(from: "choice", r).elements == [1, 0, 3, 0, 0, 6, 0, 8])
  }

  /// Relevance that a sum sends to a comparison is absorbed, and the ledger records it.
  @Test func decisionsAbsorb() throws {
    var builder = GraphBuilder(item: [4])
    let zero = builder.constant("zero", Tensor(shape: [], elements: [0]))
    let holds = builder.add("holds", Comparison(.greater), builder.input, zero)
    let real = builder.add("real", Cast(to: .real), holds)
    builder.add("sum", .add, builder.input, real)
    let network = try builder.network()
    let plan = try Self.table.resolve(for: network)
    let trace = try Executor(network).trace(Tensor(shape: [1, 4], elements: [1, -2, 3, -4]))
    #expect(trace.value(of: network.graph.output).elements == [2, -2, 4, -4])
    let seed = Tensor(shape: [1, 4], elements: [8, 1, 8, 1])
    let found = Propagator(plan: plan, trace: trace)
      .propagate([network.graph.output: seed], count: 1, keepsLedger: true)
    #expect(found.relevance.elements == [4, 1, 6, 1])
    let entry = try #require(found.ledgers[0].first { $0.node == "holds" })
    #expect(entry.losses == [.decision: 6])
  }

  /// The largest elements receive the relevance of their ranks, for each item.
  @Test func extremesReceiveRelevance() throws {
    var builder = GraphBuilder(item: [4])
    builder.add("top", TopElements(axis: 1, isLargest: true, count: [2], givesPlaces: false))
    let walk = try Walk(builder.network(), Self.table, x)
    #expect(walk.value("top").elements == [3, 1, 4, 2])
    let r = Tensor(shape: [4, 2], elements: [1, 2, 3, 4, 5, 6, 7, 8])
    let expected: [Float] = [2, 0, 1, 0, 4, 0, 3, 0, 0, 6, 0, 5, 0, 8, 0, 7]
    #expect(walk.relevance(from: "top", r, count: 2).elements == expected)
  }

  /// Of equal elements, the first is found, or the last on request; truth values are combined.
  @Test func indicesAndTruthValues() throws {
    var builder = GraphBuilder(item: [2, 4])
    let last = ArgumentOfExtreme(isMaximum: true, axis: -1, keepsAxis: false, takesLast: true)
    builder.add("last", last)
    let x = Tensor(shape: [1, 2, 4], elements: [1, 3, 3, 0, 5, 1, 5, 2])
    #expect(try Walk(builder.network(), Self.table, x).value("last").elements == [2, 2])
    let first = ArgumentOfExtreme(isMaximum: true, axis: -1, keepsAxis: false, takesLast: false)
    builder = GraphBuilder(item: [2, 4])
    builder.add("first", first)
    #expect(try Walk(builder.network(), Self.table, x).value("first").elements == [1, 0])
    builder = GraphBuilder(item: [2, 4])
    builder.add("not", Not(), builder.add("truth", Cast(to: .truth), builder.input))
    #expect(try Walk(builder.network(), Self.table, x).value("not").elements == [0, 0, 0, 1, 0, 0, 0, 0])
  }
}
