import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Weights that are read into memory instead of being mapped.
@Suite struct MappedWeightsTests {
  @Test(arguments: [ONNXWriter.WeightPlacement.beside, .inside]) func filesMayBeShortenedOnceTheyAreRead(
    placement: ONNXWriter.WeightPlacement
  ) throws {
    let scratch = try Fixtures.Scratch()
    let path = scratch.path("model.onnx")
    let source = Fixtures.path("operators/conv-3x3")
    try ONNXWriter(placement: placement).write(NeuralNetwork(contentsOf: source), to: path)
    let input = try NumPyFile.read(source + "/input.npy")
    let expected = try Executor(NeuralNetwork(contentsOf: path)).logits(input)
    let network = try NeuralNetwork(contentsOf: path, mapped: false)
    let model = try Model(contentsOf: path, mapped: false)
    for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path(".")) {
      try #require(truncate(scratch.path(name), 0) == 0)
    }
    #expect(try Executor(network).logits(input) == expected)
    #expect(try Executor(model.network).logits(input) == expected)
    #expect(throws: (any Error).self) { try NeuralNetwork(contentsOf: path, mapped: false) }
    #expect(throws: (any Error).self) { try NeuralNetwork(contentsOf: scratch.path("."), mapped: false) }
  }
}
