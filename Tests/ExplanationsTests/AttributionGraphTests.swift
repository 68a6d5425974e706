import RelevanceKit
import RelevanceTestSupport
import Testing

/// The channels that contribute to channels of higher layers.
@Suite struct AttributionGraphTests {
  /// With all channels of each layer, the edges from a vertex equal the relevance that a backward pass from its channel
  /// alone sends to the layer below, and the edges to a vertex add up to its relevance.
  @Test(arguments: SampleNetwork.allCases) func edgesMatchBackwardPasses(of network: SampleNetwork) throws {
    let trace = try network.explainer().trace(SampleNetwork.input(batch: 1))
    for target in [Target.class(1), .class(3)] {
      let graph = try AttributionGraph(trace, for: target, through: ["relu1", "conv1"], count: 100, width: 100)
      #expect(graph.layers == ["relu1", "conv1"] && graph.target == target.description && graph.method == "lrp")
      let whole = try trace.channels(of: "relu1", for: target)[0]
      let first = graph.vertices.filter { $0.level == 1 }
      #expect(first.map(\.channel) == whole.filter { $0.relevance > 0 }.map(\.channel))
      for (vertex, channel) in zip(first, whole) {
        #expect(vertex.relevance == channel.relevance && vertex.share == channel.share)
        #expect(vertex.position == channel.position && vertex.node == "relu1")
      }
      for (number, vertex) in graph.vertices.enumerated() where vertex.level == 1 {
        let upper = try #require(vertex.channel)
        let passed = try trace.channels(of: "conv1", for: target, through: [.channel(upper, of: "relu1")])[0]
        let below = Dictionary(uniqueKeysWithValues: passed.map { ($0.channel, $0) })
        let out = graph.edges.filter { $0.from == number }
        #expect(out.count == graph.vertices.count { $0.level == 2 })
        for edge in out {
          let lower = try #require(graph.vertices[edge.to].channel)
          let expected = try #require(below[lower])
          #expect(isNear(edge.relevance, expected.relevance, vertex.relevance))
          #expect(isNear(edge.share, expected.share, 1))
        }
      }
    }
  }

  @Test(arguments: [1, 2], [1, 2]) func widthsBoundTheGraph(count: Int, width: Int) throws {
    let trace = try SampleNetwork.allCases[0].explainer().trace(SampleNetwork.input(batch: 1))
    let graph = try AttributionGraph(
      trace, for: .class(1), through: ["relu1", "conv1"], by: .clrp1, count: count, width: width)
    let levels = (0...2).map { level in graph.vertices.filter { $0.level == level } }
    #expect(levels[0].count == 1 && levels[1].count <= count && levels[2].count <= count * width && !levels[2].isEmpty)
    for level in levels.dropFirst() { #expect(level.map(\.relevance) == level.map(\.relevance).sorted(by: >)) }
    #expect(graph.edges.count == levels[1].count * (1 + levels[2].count))
    #expect(graph.edges.allSatisfy { graph.vertices[$0.to].level == graph.vertices[$0.from].level + 1 })
  }

  @Test func layersGoDownward() throws {
    let trace = try SampleNetwork.allCases[0].explainer().trace(SampleNetwork.input(batch: 1))
    #expect(throws: ConditionError.notBelow("relu1", "conv1")) {
      _ = try AttributionGraph(trace, for: .class(1), through: ["conv1", "relu1"])
    }
    #expect(throws: ConditionError.notBelow("relu1", "relu1")) {
      _ = try AttributionGraph(trace, for: .class(1), through: ["relu1", "relu1"])
    }
    #expect(throws: ConditionError.notPropagated(method: "grad-cam")) {
      _ = try AttributionGraph(trace, for: .class(1), through: ["relu1"], by: .gradCAM)
    }
  }

  private func isNear(_ found: Double, _ expected: Double, _ scale: Double) -> Bool {
    abs(found - expected) <= 1e-5 * max(abs(scale), abs(expected))
  }
}
