import RelevanceKit
import TestSupport
import Testing

/// The examples of “From where to what”.
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
}
