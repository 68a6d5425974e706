import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks that ONNX Runtime quantized or optimized, and its own operators, against its results without further
/// optimization.
@Suite struct QuantizedNetworkTests {
  static let names: [String] = {
    let folder = Fixtures.path("quantized")
    return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
      .filter { !openBlocks.contains($0) }
  }()
  /// Files with channels in blocks whose size is not determined; in the other files, the input or output determines it.
  static let openBlocks = ["saved-blocks-open"]

  /// The processor that saved a file is unknown: the answer must be the same on every processor.
  @Test(arguments: openBlocks) func undeterminedBlocksAreRejected(name: String) {
    let error = #expect(throws: ONNXError.self) {
      try NeuralNetwork(contentsOf: Fixtures.path("quantized/\(name)/model.onnx"))
    }
    #expect(error?.description.contains("its weights fit blocks of 8 and of 16 channels") == true)
  }

  @Test func allCasesArePresent() { #expect(Self.names.count >= 42) }

  @Test(arguments: names) func matchesONNXRuntime(name: String) throws {
    let network = try NeuralNetwork(contentsOf: Fixtures.path("quantized/\(name)/model.onnx"))
    let (input, expected) = try Self.tensors(name)
    for threads in [1, 2] {
      let found = try Self.output(of: network, input, threads: threads)
      #expect(found.shape == expected.shape)
      guard found.shape == expected.shape else { return }
      Self.expectNear(found, expected)
    }
  }

  @Test(arguments: names) func isWrittenAndRead(name: String) throws {
    let source = try ONNXFile(contentsOf: Fixtures.path("quantized/\(name)/model.onnx"), prefersLogits: false)
    let network = try NeuralNetwork(source.graph)
    let scratch = try Fixtures.Scratch()
    let file = scratch.path("out.onnx")
    try ONNXWriter(placement: .inside, outputName: source.graph.outputName).write(network, to: file)
    let input = try Self.tensors(name).input
    let expected = try Self.output(of: network, input)
    #expect(try Self.output(of: NeuralNetwork(contentsOf: file), input).largestDifference(from: expected) <= 1e-5)
  }

  /// Rounding absorbs no relevance and does not stop gradients.
  @Test(arguments: names.filter { name in !["op-", "dynamic-dense", "saved-blocks"].contains { name.hasPrefix($0) } })
  func isExplained(name: String) throws {
    let network = try NeuralNetwork(contentsOf: Fixtures.path("quantized/\(name)/model.onnx"))
    let input = try Self.tensors(name).input
    let plain = try NeuralNetwork(contentsOf: Fixtures.path("quantized/saved-basic/model.onnx"))
    let (own, other) = (try Explainer(network).trace(input), try Explainer(plain).trace(input))
    for method in [.lrp, .gradient] as [any AttributionMethod] {
      let own = try own.explain(.class(0), by: method).signedRelevance
      let other = try other.explain(.class(0), by: method).signedRelevance
      let cosine = Self.product(own, other) / (Self.product(own, own) * Self.product(other, other)).squareRoot()
      #expect(cosine > 0.8, "\(method)")
    }
  }

  private static func product(_ a: Tensor, _ b: Tensor) -> Double {
    zip(a.elements, b.elements).reduce(0) { $0 + Double($1.0 * $1.1) }
  }

  private static func tensors(_ name: String) throws -> (input: Tensor, output: Tensor) {
    (try Fixtures.tensor("quantized/\(name)/input.npy"), try Fixtures.tensor("quantized/\(name)/output.npy"))
  }

  private static func output(of network: NeuralNetwork, _ input: Tensor, threads: Int = 1) throws -> Tensor {
    try Executor(network, threads: threads).trace(input).value(of: network.graph.output)
  }

  /// Computation in another order can round values to an adjacent integer: few elements change, and only slightly.
  private static func expectNear(_ found: Tensor, _ expected: Tensor) {
    let largest = expected.elements.map { abs($0) }.max() ?? 0
    #expect(found.largestDifference(from: expected) <= 2e-2 * Double(largest))
    let moved = zip(found.elements, expected.elements).count { abs($0.0 - $0.1) > 1e-4 * largest }
    #expect(moved * 3 <= found.count, "\(moved) of \(found.count)")
  }
}
