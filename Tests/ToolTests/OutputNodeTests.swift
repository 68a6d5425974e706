import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks with several outputs on the command line, and errors that name the model.
@Suite struct OutputNodeTests {
  private static let folder = Fixtures.path("cases/two_outputs")
  private static let note =
    "note: \(folder) has 2 outputs; logits is used, not head/features; --output-node NAME chooses another"

  @Test func theOtherOutputsAreNamed() throws {
    let bench = try Workbench()
    let input = Self.folder + "/input.npy"
    for arguments in [
      ["predict", Self.folder, input], ["explain", Self.folder, input, "--method", "gradient", "--save", "json"],
      ["inspect", Self.folder],
      ["lab", Self.folder, input, "--layer", "fc", "--rule", "z"],
      ["units", Self.folder, input, "--layer", "relu", "--top", "2"],
      ["bench", Self.folder, "--runs", "1"],
    ] {
      let outcome = try bench.run(arguments)
      #expect(outcome.status == 0, "\(arguments): \(outcome.errors)")
      #expect(outcome.errorLines.filter { $0 == Self.note }.count == 1, "\(arguments): \(outcome.errors)")
      let chosen = try bench.run(arguments + ["--output-node", "logits"])
      #expect(chosen.status == 0 && !chosen.errors.contains("outputs"))
    }
    let one = try bench.run("predict", "model", "input.npy")
    #expect(one.errors.isEmpty)
  }

  @Test func inspectListsThem() throws {
    let bench = try Workbench()
    func line(_ options: String...) throws -> String? {
      let outcome = try bench.run(["inspect", Self.folder] + options)
      #expect(outcome.status == 0)
      return outcome.output.split(separator: "\n").map(String.init).first { $0.hasPrefix("outputs: ") }
    }
    #expect(try line() == "outputs: head/features, logits (explained)")
    #expect(try line("--output-node", "head/features") == "outputs: head/features (explained), logits")
    #expect(try line("--output-node", "relu") == "outputs: head/features, logits; explained: node relu")
    #expect(try !bench.run("inspect", "model").output.contains("outputs:"))
  }

  @Test func explainsTheSelectedOutput() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "explain", Self.folder, Self.folder + "/input.npy", "--output-node", "head/features", "--method", "gradient",
      "--target", "class:3", "--save", "npy,json,html")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let features = try Fixtures.tensor("cases/two_outputs/features-output.npy")
    let report = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: bench.path("explanations/report.json"))))
    let entries = try #require(report as? [String: Any])
    #expect(entries["output"] as? String == "head/features")
    let input = try #require((entries["inputs"] as? [[String: Any]])?.first)
    let explanation = try #require((input["explanations"] as? [[String: Any]])?.first)
    #expect(abs(try #require(explanation["score"] as? Double) - Double(features[0, 3])) < 1e-5)
  }

  @Test func wrongNamesAreUsageErrors() throws {
    let bench = try Workbench()
    for (name, end) in [
      ("logit", "; did you mean logits?"),
      ("nothing like it", "; the outputs are head/features, logits; relevance inspect lists the nodes"),
    ] {
      let outcome = try bench.run("predict", Self.folder, "input.npy", "--output-node", name)
      #expect(outcome.status == 64)
      #expect(outcome.errors == "relevance: \(Self.folder)/model.onnx: no output or node is named \(name)\(end)\n")
    }
  }

  @Test func allOutputsAreSaved() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "predict", Self.folder, Self.folder + "/input.npy", "--save", "npy", "--outputs", "--output", "out")
    #expect(outcome.status == 0)
    #expect(
      bench.contents(of: "out")
        == ["input", "input/head_features.npy", "input/logits-2.npy", "input/logits.npy"])
    for (file, expected) in [("head_features", "features"), ("logits-2", "probabilities"), ("logits", "scores")] {
      let found = try NumPyFile.read(bench.path("out/input/\(file).npy"))
      let values = try Fixtures.tensor("cases/two_outputs/\(expected)-output.npy")
      #expect(found.shape == values.shape)
      #expect(zip(found.elements, values.elements).allSatisfy { abs($0 - $1) < 1e-5 }, "\(file)")
    }
    let alone = try bench.run("predict", "model", "input.npy", "--outputs")
    #expect(alone.status == 64 && alone.errors == "relevance: --outputs needs --save npy\n")
  }

  /// An output of the fixture is renamed, so that no node computes it.
  @Test func unreadableOutputsFailTheRunAtTheEnd() throws {
    let bench = try Workbench()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "/model.onnx"))
    // The last occurrence of the name is the declaration of the output. The new name has the same length and is no node.
    let name = Data("head/features".utf8)
    let place = try #require(bytes.range(of: name, options: .backwards))
    var damaged = bytes
    damaged.replaceSubrange(place, with: Data("body/features".utf8))
    try damaged.write(to: URL(fileURLWithPath: bench.path("damaged.onnx")))
    let outcome = try bench.run(
      "predict", "damaged.onnx", Self.folder + "/input.npy", "--save", "npy", "--outputs", "--output", "out",
      "--output-node", "logits")
    #expect(outcome.status == 65)
    #expect(
      outcome.errorLines == [
        "relevance: damaged.onnx: output body/features is undefined; expected an output of a node"
      ])
    #expect(bench.contents(of: "out") == ["input", "input/logits-2.npy", "input/logits.npy"])
    #expect(outcome.output.contains("class:1"))
  }

  /// Networks of one node with different faults.
  @Test func errorsOfTheModelNameItsFile() throws {
    let bench = try Workbench()
    var builder = GraphBuilder(item: [3, 8, 9])
    let huge = Tensor(shape: [2, 3, 1, 1], repeating: 3e38)
    builder.add(
      "conv", .convolution(Convolution(weight: huge, bias: nil, window: try Window(kernel: [1, 1]), groups: 1)))
    try ONNXWriter(placement: .inside).write(builder.network(), to: bench.path("huge.onnx"))
    let overflow = try bench.run("predict", "huge.onnx", "input.npy")
    #expect(overflow.status == 65)
    #expect(
      overflow.errors
        == "relevance: huge.onnx: node conv has values that are not finite (NaN or infinite) for the input input.npy\n")

    // An error of an input names the input.
    try NumPyFile.write(Tensor(shape: [1, 3, 8, 9], repeating: .infinity), to: bench.path("infinite.npy"))
    let infinite = try bench.run("predict", "bare.onnx", "infinite.npy")
    #expect(infinite.status == 65)
    #expect(infinite.errors == "relevance: infinite.npy: node x has values that are not finite (NaN or infinite)\n")

    var constant = GraphBuilder(item: [3, 8, 9])
    let value = constant.constant("c", Tensor(shape: [1, 2], repeating: 1))
    constant.add("y", .relu, value)
    try ONNXWriter(placement: .inside).write(constant.network(), to: bench.path("constant.onnx"))
    for command in ["predict", "explain"] {
      let outcome = try bench.run(command, "constant.onnx", "input.npy")
      #expect(outcome.status == 65)
      #expect(
        outcome.errors
          == "relevance: constant.onnx: output y does not depend on the values of input x, so there is nothing to "
          + "explain; expected an output that does\n")
    }

    // The declaration and the weights have different numbers of channels, so no input fits.
    var bytes = try Data(contentsOf: URL(fileURLWithPath: bench.path("bare.onnx")))
    let channels = try #require(bytes.range(of: Data([0x0A, 0x02, 0x08, 0x03])))
    bytes.replaceSubrange(channels, with: [0x0A, 0x02, 0x08, 0x05])
    try bytes.write(to: URL(fileURLWithPath: bench.path("misfit.onnx")))
    try NumPyFile.write(Tensor(shape: [1, 5, 8, 9]), to: bench.path("five.npy"))
    for arguments in [["predict", "misfit.onnx", "five.npy"], ["bench", "misfit.onnx"]] {
      let outcome = try bench.run(arguments)
      #expect(outcome.status == 65)
      #expect(
        outcome.errors
          == "relevance: misfit.onnx: node y (Conv): weight 4×3×3×3 with group 1 expects 3 channels, found shape 1×5×8×9\n"
      )
    }

    // An input that is too small for the network.
    let shape = SymbolicShape([.fixed(1), .fixed(3), .symbolic("h"), .symbolic("w")])
    let nodes = [
      Node(name: "x", operation: .input(shape), inputs: []),
      Node(name: "pool", operation: .maxPool(try Window(kernel: [9, 9])), inputs: [Node.ID(0)]),
    ]
    let pool = try NeuralNetwork(Graph(name: "pool", nodes: nodes, output: Node.ID(1)))
    try ONNXWriter(placement: .inside).write(pool, to: bench.path("pool.onnx"))
    let small = try bench.run("predict", "pool.onnx", "input.npy")
    #expect(small.status == 65)
    #expect(small.errors.hasPrefix("relevance: input.npy: node pool (MaxPool): the window covers 9 elements"))
  }
}
