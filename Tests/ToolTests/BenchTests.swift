import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance bench`: its output, not the times.
@Suite struct BenchTests {
  @Test func benchTimesBothPasses() throws {
    let bench = try Workbench()
    for (options, count) in [(["--no-nodes"], 2), (["--method", "lrp"], 3)] {
      let outcome = try bench.run(["bench", "model", "input.npy", "--runs", "3", "--method", "clrp2"] + options)
      #expect(outcome.status == 0 && outcome.errors.isEmpty)
      let lines = outcome.output.split(separator: "\n")
      let times = lines.prefix { !$0.hasPrefix("sgemm of ") }
      try #require(times.count == count)
      #expect(times[0].hasPrefix("trace ") && times[1].hasPrefix("trace + clrp2 "))
      #expect(times.allSatisfy { $0.contains("median") && $0.contains("best") && $0.contains("worst") })
      let memory = lines.suffix(3)
      #expect(memory[memory.startIndex].hasPrefix("memory: ") && memory.allSatisfy { $0.contains(" MB") })
      try #require(lines.count == count + 6)
      #expect(lines[count + 2] == "instruction set of other loops: \(InstructionSet.preferred.rawValue)")
    }
  }

  @Test func nodesHaveRows() throws {
    let bench = try Workbench()
    let network = try SampleNetwork.branched.network()
    try ONNXWriter().write(network, to: bench.path("branched.onnx"))
    let outcome = try bench.run("bench", "branched.onnx", "--runs", "2", "--batch", "2")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines[0].contains("per image") && lines[1].contains("per image"))
    let table = lines.dropFirst(2).prefix { !$0.hasPrefix("products of a prediction: ") }
    let rows = table.map { $0.split(separator: " ").map(String.init) }
    #expect(rows[0].prefix(4) == ["NODE", "OPERATOR", "OUTPUT", "ALGORITHM"])
    let weighted = [
      ["conv1", "Conv", "2×6×12×12", "direct"], ["a", "Conv", "2×5×12×12", "im2col/col2im"],
      ["b", "Conv", "2×4×12×12", "im2col/col2im"], ["c", "Conv", "2×9×12×12", "im2col"],
      ["head", "Gemm", "2×7", "gemm"],
    ]
    for expected in weighted {
      let found = rows.filter { $0[0] == expected[0] }
      #expect(found.count == 1)
      if expected[0] == "a" {
        #expect(found[0][3] == "pointwise")
      } else {
        #expect(Array(found[0].prefix(4)) == expected)
      }
      // Forward ms, GFLOP/s, z ms, backward ms, GFLOP/s, MB.
      #expect(found[0].count == 10)
      #expect(Double(found[0][4]).map { $0 >= 0 } == true && Double(found[0][5]) != nil && Double(found[0][6]) != nil)
      #expect(Double(found[0][7]) != nil)
      #expect((Double(found[0][8]) == nil) == (expected[1] == "Gemm"))
    }
    let merged = try #require(rows.first { $0[0] == "relu1" })
    #expect(merged[4] == "–" && Double(merged[7]) != nil)
    #expect(rows.suffix(3).map { $0.prefix(2) } == [["all", "nodes"], ["whole", "call"], ["outside", "nodes"]])
    #expect(rows.count == 1 + network.graph.nodes.count - 1 + 3, "all nodes but the input have a row")
    #expect(outcome.output.contains("sgemm of 1024×1024 matrices, one on each of "))
    #expect(outcome.output.contains("(\(BLAS.coreName)): best "))
  }

  /// Page faults of each timed operation, and its share of the sgemm rate.
  @Test func wholeRunsListPageFaultsAndRates() throws {
    let outcome = try Workbench().run([
      "bench", "model", "input.npy", "--runs", "4", "--method", "lrp", "--method", "gradient", "--threads", "1",
      "--no-nodes",
    ])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n")
    let names = ["trace", "trace + lrp top:1", "trace + gradient top:1"]
    for (name, line) in zip(names, lines) {
      #expect(line.hasPrefix(name + " "))
      let words = line.components(separatedBy: "page faults")
      try #require(words.count == 2)
      let faults = try #require(Int(words[1].trimmingCharacters(in: .whitespaces)))
      // A network with so few values does not need hundreds of new pages.
      #expect((0..<200).contains(faults))
    }
    let shares = try #require(lines.first { $0.hasPrefix("share of the best rate: ") }).dropFirst(
      "share of the best rate: ".count)
    let parts = shares.components(separatedBy: ", ")
    #expect(parts.count == names.count)
    for (name, part) in zip(names, parts) {
      #expect(part.hasPrefix(name + " ") && part.hasSuffix(" %"))
      let percent = try #require(Double(part.dropFirst(name.count + 1).dropLast(2)))
      #expect(percent >= 0 && percent <= 100)
    }
  }

  @Test func instructionSetIsNamedAndChosen() throws {
    let bench = try Workbench()
    for set in InstructionSet.available {
      let outcome = try bench.shell(
        "RELEVANCEKIT_ISA=\(set.rawValue) relevance bench model input.npy --runs 1 --no-nodes")
      #expect(outcome.status == 0 && outcome.errors.isEmpty)
      #expect(outcome.output.contains("instruction set of other loops: \(set.rawValue)\n"))
    }
    for command in ["bench model input.npy", "predict model input.npy", "explain model input.npy"] {
      let outcome = try bench.shell("RELEVANCEKIT_ISA=nonsense relevance \(command)")
      #expect(outcome.status == 64)
      let sets = InstructionSet.available.map(\.rawValue).joined(separator: ", ")
      #expect(outcome.errorLines == ["relevance: RELEVANCEKIT_ISA is nonsense; expected one of \(sets)"])
    }
  }

  @Test func workerExplainsOnRequest() throws {
    let bench = try Workbench()
    let arguments = [
      "bench", "--on-request", "model", "input.npy", "--method", "clrp2", "--target", "top:2", "--threads", "1",
    ]
    let outcome = try bench.run(arguments, input: "run\nsave a b.npy\nrun\nquit\nrun\n")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 4 && lines[0] == "ready" && lines[2] == "saved")

    let model = try Model(contentsOf: bench.path("model"))
    let explainer = try Explainer(
      model.network, rules: .default(pixelRange: model.preprocessing.pixelRange), threads: 1)
    let trace = try explainer.trace(NumPyFile.read(bench.path("input.npy")))
    let targets = trace.predictions().prefix(2).map { Target.class($0.classIndex) }
    let expected = try trace.explain(targets, by: .clrp2)[0]
    #expect(try NumPyFile.read(bench.path("a b.npy")) == expected.signedRelevance)
    for line in [lines[1], lines[3]] {
      let numbers = line.split(separator: " ").compactMap { Double($0) }
      try #require(numbers.count == 3)
      #expect(numbers[0] >= 0)
      #expect(abs(numbers[1] - expected.signedRelevance.sum()) <= 1e-6 * abs(expected.signedRelevance.sum()))
      #expect(Float(numbers[2]) == expected.score)
    }
  }

  @Test func workerPredictsOnRequest() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      ["bench", "--on-request", "--forward", "bare.onnx", "input.npy"], input: "run\nsave logits.npy\n")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 3 && lines[0] == "ready" && lines[2] == "saved")
    let logits = try Executor(NeuralNetwork(contentsOf: bench.path("bare.onnx"))).logits(
      NumPyFile.read(bench.path("input.npy")))
    #expect(try NumPyFile.read(bench.path("logits.npy")) == logits)
    let numbers = lines[1].split(separator: " ").compactMap { Double($0) }
    try #require(numbers.count == 3)
    #expect(abs(numbers[1] - logits.sum()) <= 1e-6 * abs(logits.sum()))
    #expect(Float(numbers[2]) == logits.elements.max())
  }

  @Test(
    arguments: [
      ("explain\n", 64, "found the line \"explain\"; expected run, save PATH or quit"),
      ("run now\n", 64, "found the line \"run now\"; expected run, save PATH or quit"),
      ("save\n", 64, "found the line \"save\"; expected run, save PATH or quit"),
      ("save early.npy\n", 64, "found \"save\" before the first \"run\""),
      ("run\nsave no/folder.npy\n", 73, nil),
    ] as [(String, Int32, String?)])
  func workerRefusesOtherLines(input: String, status: Int32, line: String?) throws {
    let outcome = try Workbench().run(["bench", "--on-request", "model", "input.npy"], input: input)
    #expect(outcome.status == status)
    #expect(outcome.errorLines.count == 1)
    if let line { #expect(outcome.errorLines == ["relevance: \(line)"]) }
  }

  /// A network with open height and width, and one with fixed extents.
  @Test func sidesApplyToOpenExtents() throws {
    let bench = try Workbench()
    let open = SymbolicShape([.symbolic("n"), .fixed(3), .symbolic("h"), .symbolic("w")])
    let nodes = [
      Node(name: "x", operation: .input(open), inputs: []),
      Node(
        name: "conv", operation: try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1),
        inputs: [Node.ID(0)]),
      Node(name: "gap", operation: .mean(axes: [2, 3], keepsAxes: false), inputs: [Node.ID(1)]),
    ]
    try ONNXWriter().write(
      NeuralNetwork(Graph(name: "open", nodes: nodes, output: Node.ID(2))), to: bench.path("open.onnx"))
    let outcome = try bench.run("bench", "open.onnx", "--side", "21", "--runs", "1")
    #expect(outcome.status == 0 && outcome.output.contains("1×4×19×19"))
    let small = try bench.run("bench", "open.onnx", "--side", "2", "--runs", "1")
    #expect(small.status == 65 && small.errorLines.count == 1)
    #expect(small.errors.hasPrefix("relevance: --side 2: node conv (Conv): "))
    let fixed = try bench.run("bench", "bare.onnx", "--side", "21")
    #expect(fixed.status == 65)
    #expect(fixed.errorLines == ["relevance: --side 21: the network only takes inputs of shape 1×3×8×9"])
  }
}
