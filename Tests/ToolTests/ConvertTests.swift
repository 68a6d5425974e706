import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `convert-model` on the command line.
@Suite struct ConvertTests {
  static let tool = "convert-model"

  @Test func writesAFileThatComputesTheSame() throws {
    let bench = try Workbench()
    for options in [[], ["--half"], ["--inline"], ["--fold-batch-norm"], ["--half", "--inline"]] {
      let outcome = try bench.run(["bare.onnx", "out.onnx", "--check", "input.npy"] + options, tool: Self.tool)
      #expect(outcome.status == 0)
      #expect(outcome.errors.isEmpty)
      let lines = outcome.output.split(separator: "\n")
      #expect(lines.filter { $0.hasPrefix("checked on ") }.count == 2)
      #expect(lines.contains { $0.hasPrefix("wrote ") && $0.hasSuffix(": out.onnx") })
      let found = try NeuralNetwork(contentsOf: bench.path("out.onnx"))
      let expected = try NeuralNetwork(contentsOf: bench.path("bare.onnx"))
      #expect(found.graph.nodes.map(\.name) == expected.graph.nodes.map(\.name))
    }
  }

  @Test func printsItsChanges() throws {
    let bench = try Workbench()
    var builder = GraphBuilder(item: [3, 8, 9])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 40, kernel: [3, 3], seed: 1))
    let channels: TensorShape = [40]
    builder.add(
      "bn",
      .batchNormalization(
        BatchNormalization(
          gamma: Tensor(shape: channels, repeating: 2), beta: Tensor(shape: channels, repeating: 1),
          mean: Tensor(shape: channels), variance: Tensor(shape: channels, repeating: 1), epsilon: 0)))
    try ONNXWriter().write(builder.network(), to: bench.path("source.onnx"))
    let outcome = try bench.run(["source.onnx", "out.onnx", "--fold-batch-norm"], tool: Self.tool)
    #expect(outcome.status == 0)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.first == "folded bn into conv")
    #expect(lines.last == "weights 4320 bytes in out.onnx.data")
    #expect(lines.contains { $0.hasPrefix("wrote 2 nodes in opset 17, ") })
    let help = try bench.run(["--help"], tool: Self.tool)
    #expect(help.status == 0)
    #expect(help.output.contains("explanations"))
  }

  @Test(
    arguments: [
      (64, "Missing expected argument '<output.onnx>'", ["bare.onnx"]),
      (64, "Unknown option '--quarter'", ["bare.onnx", "out.onnx", "--quarter"]),
      (64, "input.npy is given without --check; expected two files", ["bare.onnx", "out.onnx", "input.npy"]),
      (
        64, "./bare.onnx: the network is read from this file; choose another name",
        ["bare.onnx", "./bare.onnx"]
      ),
      (
        64, "model.onnx.data: the network is read from this file; choose another name",
        ["large.onnx", "model.onnx"]
      ),
      (
        65,
        "text.onnx: not an ONNX model, or damaged: field 13 at byte 0 has wire type 6, which does not exist in ONNX",
        ["text.onnx", "out.onnx"]
      ),
      (66, "nothing.onnx: there is no such file", ["nothing.onnx", "out.onnx"]),
      (
        66, "nothing.npy: no such file, or no permission to read it",
        ["bare.onnx", "out.onnx", "--check", "nothing.npy"]
      ),
      (
        65, "channels.npy: input x: expected shape 1×3×8×9, found 1×4×8×9",
        ["bare.onnx", "out.onnx", "--check", "channels.npy"]
      ),
      (73, "model: cannot be written: it is a folder", ["bare.onnx", "model"]),
      (73, "no/out.onnx: cannot be written: No such file or directory", ["bare.onnx", "no/out.onnx"]),
      (
        65, "out.onnx: tensor y.weight.half: 1000000.0 exceeds the range of FLOAT16; expected at most 65504",
        ["huge.onnx", "out.onnx", "--half"]
      ),
    ] as [(Int32, String, [String])])
  func failsInOneLine(status: Int32, line: String, arguments: [String]) throws {
    let bench = try Workbench()
    var builder = GraphBuilder(item: [300])
    builder.add("y", .linear(Linear(weight: Tensor(shape: [2, 300], repeating: 1e6), bias: nil)))
    try ONNXWriter(placement: .inside).write(builder.network(), to: bench.path("huge.onnx"))
    // A model whose data file has the name that belongs to another model.
    try ONNXWriter().write(builder.network(), to: bench.path("model.onnx"))
    try FileManager.default.moveItem(atPath: bench.path("model.onnx"), toPath: bench.path("large.onnx"))
    try bench.write("no model", to: "text.onnx")
    try NumPyFile.write(Tensor(shape: [1, 4, 8, 9]), to: bench.path("channels.npy"))
    let before = bench.contents(of: ".")
    let outcome = try bench.run(arguments, tool: Self.tool)
    #expect(outcome.errors == "convert-model: \(line)\n")
    #expect(outcome.status == status)
    #expect(bench.contents(of: ".") == before)
  }
}
