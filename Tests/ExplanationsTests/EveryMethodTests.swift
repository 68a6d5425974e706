import RelevanceKit
import RelevanceTestSupport
import Testing

/// Every method on whole networks: a finite map, or an error with the reason why there is none.
@Suite(.serialized) struct EveryMethodTests {
  /// The methods; those that run the network repeatedly have few runs.
  static let methods = MethodCatalog.general.map { method -> any AttributionMethod in
    switch method {
    case is IntegratedGradients: IntegratedGradients(steps: 2)
    case is SmoothGrad: SmoothGrad(samples: 2)
    default: method
    }
  }

  @Test(arguments: ["alexnet-torchscript", "vgg16-torchscript", "googlenet-kept", "resnet18-kept"])
  func seededNetworks(name: String) throws {
    let side = name.hasSuffix("kept") ? 96 : 224
    try expectMaps(SeededNetwork.load(name), .imageNet, Fixtures.tensor("inputs/chelsea-\(side).npy"))
  }

  @Test(.enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"))
  func squeezeNet() throws {
    let model = try Model(contentsOf: FetchedModel.squeezeNet)
    let input = try model.preprocessing.native.tensor(from: RGBImage(contentsOf: Fixtures.path("cat-and-coffee.png")))
    try expectMaps(model.network, model.preprocessing.pixelRange, input)
  }

  private func expectMaps(_ network: NeuralNetwork, _ pixelRange: PixelRange?, _ input: Tensor) throws {
    let trace = try Explainer(network, rules: .default(pixelRange: pixelRange)).trace(input)
    let best = Target.class(trace.predictions()[0].classIndex)
    for method in Self.methods {
      let map = try trace.explain(best, by: method).relevance
      #expect(map.elements.allSatisfy { $0.isFinite }, "\(method)")
      #expect(map.largestMagnitude() > 0, "\(method)")
      #expect(map.shape.dimensions.suffix(2) == input.shape.dimensions.suffix(2), "\(method)")
    }
    let error = #expect(throws: ExplanationError.self) {
      try trace.explain(best, by: GradCAM(layer: network.graph[network.logits].name))
    }
    #expect(error?.description.hasPrefix("grad-cam needs a layer with height and width") == true)
  }
}
