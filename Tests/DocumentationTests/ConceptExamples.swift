import RelevanceKit
import RelevanceTestSupport
import Testing

/// The examples of “Channels and concepts”.
@Suite struct ConceptExamples {
  @Test func channels() throws {
    let scene = try Scene()
    let (explainer, input) = (scene.explainer, scene.input)

    let trace = try explainer.trace(input)
    for channel in try trace.channels(of: "relu_conv4_2", for: .class(8))[0].prefix(3) {
      print(channel.channel, channel.relevance, channel.share, channel.activation)
    }
    let first = try trace.channels(of: "relu_conv4_2", for: .class(8))[0].prefix(3)
    #expect(first.map(\.channel) == [4, 3, 43])
    #expect(zip(first, [0.167, 0.106, 0.094]).allSatisfy { isNear($0.share, $1) })
  }

  @Test func conditions() throws {
    let trace = try Scene().trace

    let map = try trace.explain(.class(8), through: [.channels([3, 4], of: "relu_conv4_2")])
    print(map.score, map.relevance.sum(), map.ledger.losses[.condition] ?? 0)
    #expect(isNear(map.score, 14.221) && isNear(map.relevance.sum(), 3.880))
    #expect(isNear(map.ledger.losses[.condition] ?? 0, 10.340))

    let maps = try trace.explain([.class(8)], throughEach: (0..<64).map { [.channel($0, of: "relu_conv4_2")] })[0]
    let sum = maps[1...].reduce(maps[0].relevance) { $0.combined(with: $1.relevance, +) }
    #expect(sum.relativeDistance(from: try trace.explain(.class(8)).relevance) <= 1e-5)
  }

  @Test func receptiveFields() throws {
    let explainer = try Scene().explainer

    let fields = try explainer.network.receptiveFields(of: "relu_conv4_2")
    let field = try fields.field(at: [5, 5])
    print(field.rows, field.columns, field.isCut, fields.layout()?.size ?? [])
    #expect(field.rows == 10..<64 && field.columns == 10..<64 && field.isCut && fields.layout()?.size == [68, 68])
  }

  @Test func references() throws {
    let scene = try Scene()
    let (model, explainer) = (scene.model, scene.explainer)
    let at = try Place()

    let classes = ClassNames(names: model.labels?.names ?? [:], count: 10)
    let data = try DataSet.load(at("Fixtures/digits/scenes/instances.json"), classes: classes)
    let indexing = ConceptIndexing(layers: ["relu_conv4_2"])
    let index = try indexing.prepared(Subject(explainer, methods: [.lrp]), on: data).run(state: at("index.state"))
    for reference in index["relu_conv4_2"]?.references(of: 4).prefix(3) ?? [] {
      print(index.inputs[reference.input], reference.classIndex, reference.value, reference.position)
    }
    #expect(index["relu_conv4_2"]?.references(of: 4).prefix(3).map(\.classIndex) == [8, 8, 8])
  }

  @Test func graphs() throws {
    let trace = try Scene().trace

    let unit = Target.unit(node: "relu_conv4_2", channel: 4)
    let graph = try AttributionGraph(trace, for: unit, through: ["relu_conv3_2", "relu_conv2_2"], count: 3, width: 2)
    for edge in graph.edges.prefix(3) {
      print(graph.vertices[edge.to].channel ?? 0, edge.relevance, edge.share)
    }
    #expect(graph.edges.prefix(3).map { graph.vertices[$0.to].channel } == [1, 7, 25])
    #expect(zip(graph.edges, [0.162, 0.114, 0.103]).allSatisfy { isNear($0.share, $1) })
  }

  @Test func channelsSetToZero() throws {
    let trace = try Scene().trace

    let channels = try trace.channels(of: "relu_conv4_2", for: .class(8))[0]
    let relevant = channels.prefix(3).map(\.channel)
    let active = channels.sorted { $0.activation > $1.activation }.prefix(3).map(\.channel)
    let logits = try trace.logits(settingToZero: [[], relevant, active], of: "relu_conv4_2")
    print(logits.map { $0[0, 8] })
    #expect(relevant == [4, 3, 43] && active == [4, 3, 8])
    #expect(isNear(Double(logits[0][0, 8]), 14.221))
    #expect(isNear(Double(logits[1][0, 8]), 3.889))
    #expect(isNear(Double(logits[2][0, 8]), 7.907))
  }
}
