import RelevanceKit
import RelevanceTestSupport
import Testing

/// Logits of whole networks, against ONNX Runtime.
@Suite struct NetworkParityTests {
  /// The largest difference relative to the largest logit.
  static let tolerance: Float = 1e-4

  @Test(arguments: [
    "alexnet-torchscript", "alexnet-dynamo", "vgg16-torchscript", "vgg16-dynamo", "googlenet-torchscript",
    "googlenet-dynamo", "googlenet-batchnorm", "vgg16bn-kept", "resnet18-kept", "googlenet-kept", "alexnet-96",
    "vgg16-96",
  ])
  func logitsMatchONNXRuntime(name: String) throws {
    let network = try SeededNetwork.load(name)
    let side = network.exampleInputShape(side: 224)[2]
    let expected = try Fixtures.tensor("networks/\(name)/logits.npy")
    let found = try Executor(network).logits(Fixtures.tensor("inputs/chelsea-\(side).npy"))
    #expect(found.shape == expected.shape)
    let difference = found.combined(with: expected, -).largestMagnitude()
    #expect(difference <= Self.tolerance * expected.largestMagnitude())
  }
}
