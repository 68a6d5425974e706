import RelevanceKit
import RelevanceTestSupport
import Testing

/// The times that a clock records for runs and backward passes.
@Suite struct NodeClockTests {
  /// The records of a clock after `body`, with checks that hold for any run or backward pass.
  private static func laps(of network: NeuralNetwork, _ body: (NodeClock) throws -> Void) throws -> [String] {
    let clock = NodeClock()
    let whole = try ContinuousClock().measure { try body(clock) }
    let times = clock.laps.map(\.time)
    #expect(times.allSatisfy { $0 >= .zero })
    #expect(times.reduce(.zero, +) <= whole)
    return clock.laps.map { network.graph[$0.node].name }
  }

  @Test func aRunReportsWhatItComputes() throws {
    let explainer = try SampleNetwork.branched.explainer()
    let input = SampleNetwork.input(batch: 2)
    // Elementwise functions after other nodes are computed with them; a flattening takes no time.
    let expected = ["conv1", "a", "b", "bn", "join", "c", "gap", "head"]
    let plain = try Self.laps(of: explainer.network) { _ = try explainer.executor.trace(input, clock: $0) }
    #expect(plain == expected)
    let recording = try Self.laps(of: explainer.network) { _ = try explainer.trace(input, clock: $0) }
    #expect(recording == expected)
  }

  @Test func passesReportTheirNodes() throws {
    let explainer = try SampleNetwork.flattened.explainer()
    let network = explainer.network
    let trace = try explainer.trace(SampleNetwork.input())
    let nodes = ["head", "relu3", "fc", "flatten", "relu2", "conv2", "pool", "relu1", "conv1"]
    // The second pass uses the denominators of the first.
    for _ in 0..<2 {
      let found = try Self.laps(of: network) { _ = try trace.timed(by: $0).explain([.class(0), .class(1)]) }
      #expect(found == nodes)
    }
    // A method with its own table, and a method with a run for each step.
    let gradient = try Self.laps(of: network) { _ = try trace.timed(by: $0).explain(.class(0), by: .gradient) }
    #expect(gradient == nodes)
    let integrated = try Self.laps(of: network) {
      _ = try trace.timed(by: $0).explain(.class(0), by: IntegratedGradients(baseline: 0, steps: 3))
    }
    #expect(integrated == nodes + nodes + nodes)
  }

  @Test func passesCountTheirProducts() throws {
    let network = try SampleNetwork.flattened.network()
    let tables: [(String, Int)] = [("ExcitationBackprop", 1), ("EpsilonAlpha2Beta1", 2)]
    for (name, products) in tables {
      let table = try #require(RuleTable.preset(name, pixelRange: SampleNetwork.range))
      let trace = try Explainer(network, rules: table).trace(SampleNetwork.input())
      let clock = NodeClock()
      _ = try trace.timed(by: clock).explain([.class(0), .class(1), .class(2)])
      #expect(clock.adjointProducts(at: try network.graph.requiredNode(named: "conv2")) == 3 * products, "\(name)")
      #expect(clock.adjointProducts(at: try network.graph.requiredNode(named: "relu2")) == 0)
    }
  }

  /// The memory of a trace, calculated from its shapes.
  @Test func bytesOfATrace() throws {
    let explainer = try SampleNetwork.flattened.explainer()
    let trace = try explainer.trace(SampleNetwork.input())
    #expect(trace.bytes.values >= 4 * (6 * 144 + 6 * 36 + 8 * 16 + 20 + 7))
    #expect(trace.bytes.denominators == 0)
    let shapes = try explainer.network.graph.shapes(forInput: trace.input.shape)
    #expect(trace.bytes.sideProducts == 4 * explainer.plan.sideProducts.keys.reduce(0) { $0 + shapes[$1.index].count })
    _ = try trace.explain(.class(0))
    #expect(trace.bytes.denominators > 0)
  }
}
