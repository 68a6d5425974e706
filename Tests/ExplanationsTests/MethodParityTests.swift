import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Whole maps of baselines, contrasts and units compared with an oracle in PyTorch, in float64, which is checked
/// against Captum and Zennit.
@Suite(.serialized) struct MethodParityTests {
  struct Map: Decodable, Sendable {
    struct Target: Decodable {
      let `class`: Int?
      let node: String?
      let channel, y, x: Int?

      var target: RelevanceKit.Target {
        if let index = self.class { return .class(index) }
        return .unit(node: node ?? "", channel: channel ?? 0, position: y.flatMap { y in x.map { [y, $0] } })
      }
    }
    struct Layer: Decodable { let node: String }
    struct Parameters: Decodable {
      let steps: Int?
      let baseline: Float?
      let seeds: [UInt64]?
      let low, high: Double?
      let completenessDelta: Double?
    }
    let file, network, input, method: String
    let target: Target
    let layer: Layer?
    let parameters: Parameters
    let score: Double
    let tolerance: Double
  }

  private struct Index: Decodable { let maps: [Map] }

  static func maps() throws -> [Map] {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("methods/index.json")))
    return try decoder.decode(Index.self, from: data).maps
  }

  /// Methods whose reference uses another quadrature.
  static let absent = "integrated-gradients-gauss-legendre"

  @Test(arguments: ["alexnet-96", "googlenet-kept", "resnet18-kept", "vgg16-96"])
  func seededNetworksMatch(name: String) throws {
    try expectMaps(of: name, SeededNetwork.load(name), pixelRange: .imageNet)
  }

  @Test(.enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"))
  func squeezeNetMatches() throws {
    let model = try Model(contentsOf: FetchedModel.squeezeNet)
    try expectMaps(of: "squeezenet1.1", model.network, pixelRange: model.preprocessing.pixelRange)
  }

  /// With im2col, the tolerance is that of all maps. The rounding of Winograd can change the decision of a rectifier or
  /// maximum between almost equal values. Gradients, unlike relevance, are discontinuous there; the index contains the
  /// resulting distance of each map.
  private func expectMaps(of name: String, _ network: NeuralNetwork, pixelRange: PixelRange) throws {
    let maps = try Self.maps().filter { $0.network == name && $0.method != Self.absent }
    try #require(!maps.isEmpty)
    for algorithm in ConvolutionAlgorithm.allCases {
      let explainer = try Explainer(network, rules: .default(pixelRange: pixelRange), convolution: algorithm)
      for (input, maps) in Dictionary(grouping: maps, by: \.input) {
        let trace = try explainer.trace(Fixtures.tensor(input))
        for map in maps {
          let expected = try Fixtures.tensor("methods/\(map.file)")
          let (found, score) = try explained(map, trace)
          #expect(abs(Double(score) - map.score) <= Tolerance.logits * abs(map.score), "\(map.file)")
          let distance = found.reshaped(to: expected.shape).relativeDistance(from: expected)
          // Without fused multiply-adds, rounding differs too.
          let isStrict = algorithm == .im2col && InstructionSet.preferred > .generic
          #expect(distance <= (isStrict ? Tolerance.map : max(map.tolerance, Tolerance.map)), "\(map.file)")
          print("\(map.file), \(algorithm): distance \(distance)")
        }
      }
    }
  }

  private func explained(_ map: Map, _ trace: Trace) throws -> (map: Tensor, score: Float) {
    let target = map.target.target
    func explain(_ method: any AttributionMethod) throws -> (Tensor, Float) {
      let explanation = try trace.explain(target, by: method)
      return (explanation.signedRelevance, explanation.score)
    }
    switch map.method {
    case "clrp1-released": return try explain(CLRP1(against: .logits))
    case "grad-cam":
      // The map has the size of the layer.
      let small = try GradCAM(layer: map.layer?.node).layerMaps(of: [target], in: trace)[0]
      return (small, try explain(GradCAM(layer: map.layer?.node)).1)
    case "grad-cam-upsampled": return try explain(GradCAM(layer: map.layer?.node))
    case "layer-cam": return try explain(LayerCAM(layer: map.layer?.node))
    case "guided-grad-cam": return try explain(GuidedGradCAM(layer: map.layer?.node))
    case "integrated-gradients":
      let method = IntegratedGradients(
        baseline: try #require(map.parameters.baseline), steps: try #require(map.parameters.steps))
      let explanation = try trace.explain(target, by: method)
      let delta = try #require(map.parameters.completenessDelta)
      let error = try #require(explanation.completenessErrors?.first)
      #expect(abs(Double(error) + delta) <= 0.02 * abs(map.score), "\(map.file)")
      return (explanation.signedRelevance, explanation.score)
    case "smoothgrad":
      let (low, high) = (try #require(map.parameters.low), try #require(map.parameters.high))
      let noise = try #require(map.parameters.seeds).map {
        Seeded.tensor(trace.input.shape, seed: $0, low: low, high: high)
      }
      return (try trace.smoothGradients(of: [target], noise: noise)[0], try explain(.lrp).1)
    default: return try explain(#require(MethodCatalog.standard.methods.first { $0.name == map.method }))
    }
  }
}
