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

  #if os(Linux)
    /// Weights that are transposed are copied, and the file's pages are not needed afterward.
    @Test func copiedWeightsLeaveNoPagesOfTheFile() throws {
      let folder = try ScratchFolder()
      try folder.writeZeros(20 << 20, as: "weights.bin")
      let transposed = WireTensor(name: "w", dims: [2048, 2048], external: [("location", "weights.bin")])
      let inPlace = WireTensor(
        name: "v", dims: [512, 2048], external: [("location", "weights.bin"), ("offset", "\(16 << 20)")])
      let nodes = [
        WireNode(op: "MatMul", inputs: ["x", "w"], outputs: ["z"], name: "first"),
        WireNode(op: "Gemm", inputs: ["z", "v"], outputs: ["y"], name: "second", attributes: [("transB", .int(1))]),
      ]
      let model = WireModel(opset: 13, nodes: nodes, initializers: [transposed, inPlace], inputs: [("x", [4, 2048])])
      try folder.write(model.bytes, as: "model.onnx")
      let network = try folder.readNetwork()
      let kilobytes = try withExtendedLifetime(network) {
        try #require(try Self.residentKilobytes(of: folder.path + "/weights.bin"))
      }
      #expect(kilobytes < 8 << 10, "of 20 MiB, of which 4 MiB are used in place")
    }

    /// The resident memory of a mapped file; nil if it is not mapped.
    private static func residentKilobytes(of file: String) throws -> Int? {
      // The file has no size, so that only a handle reads it.
      let bytes = try FileHandle(forReadingAtPath: "/proc/self/smaps")?.readToEnd()
      let lines = String(decoding: bytes ?? Data(), as: UTF8.self).split(separator: "\n")
      guard let first = lines.firstIndex(where: { $0.hasSuffix(file) }) else { return nil }
      return lines[first...].first { $0.hasPrefix("Rss:") }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
  #endif
}
