import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Small models that failed in earlier versions, run by the tool if their folder exists. Expected values were computed
/// by hand or with ONNX Runtime. The suites of the modules test similar generated networks.
@Suite(.enabled(if: SharedCases.areThere, "the folder of small cases does not exist"))
struct SharedCaseTests {
  private let bench: Workbench
  init() throws {
    bench = try Workbench()
    try bench.write(
      "name: z\nextends: default\nrules: [{op: [Conv, Gemm], position: first, rule: zPlus}]", to: "z.yaml")
  }

  private func model(_ name: String) -> String { SharedCases.folder.appendingPathComponent(name).path }

  private func save(_ shape: TensorShape, _ elements: [Float]? = nil) throws {
    let tensor = elements.map { Tensor(shape: shape, elements: $0) } ?? Seeded.tensor(shape, seed: 3, low: 0, high: 1)
    try NumPyFile.write(tensor, to: bench.path("x.npy"))
  }

  private func map(_ name: String) throws -> [Float] { try NumPyFile.read(bench.path("out/x/\(name).npy")).elements }

  /// Explains `x.npy`.
  private func explain(_ name: String, _ options: String...) throws -> Outcome {
    try bench.run(
      ["explain", model(name), "x.npy", "--rules", "z.yaml", "--save", "npy,json", "--output", "out"] + options)
  }

  @Test func segmentation() throws {
    try save([1, 3, 8, 8])
    let prediction = try bench.run("predict", model("seg"), "x.npy")
    #expect(prediction.status == 0 && prediction.output.contains(" % of 8×8 positions  mean logit"))
    for target in ["class:1", "label:cat"] {
      let outcome = try explain("seg", "--target", target)
      #expect(outcome.status == 64 && outcome.errors.contains("expected class:1@4,4 for one position, or region:1"))
    }
    for target in ["class:1@3,4", "label:cat@3,4", "region:3", "region:bus"] {
      #expect(try explain("seg", "--target", target).status == 0, "\(target)")
    }
  }

  /// The network changes the sign of a sum that is negative because of the second of two inputs.
  @Test(arguments: ["bn_negative", "turn_Neg"]) func turnedSigns(name: String) throws {
    try save([1, 2, 1, 1], [1, 3])
    #expect(try explain(name, "--target", "class:0", "--method", "lrp").status == 0)
    #expect(try map("class0.lrp").map { ($0 * 1e5).rounded() / 1e5 } == [0, 2])
  }

  @Test func oppositeClasses() throws {
    try save([1, 3, 8, 8])
    for method in ["lrp", "gradient"] {
      let outcome = try explain("end_sigmoid_concat", "--target", "class:0", "--target", "class:1", "--method", method)
      #expect(outcome.status == 0)
      #expect(try map("class0.\(method)") == map("class1.\(method)").map { -$0 })
      #expect(try map("class1.\(method)").contains { $0 != 0 })
    }
    #expect(try explain("end_sigmoid_concat", "--target", "top:1", "--method", "clrp1").status == 0)
  }

  @Test func twoClassesOfOneSigmoid() throws {
    try save([1, 3, 8, 8])
    let lines = try bench.run("predict", model("binary"), "x.npy").output.split(separator: "\n").dropFirst()
    #expect(lines.count == 2)
    let percents = lines.compactMap {
      $0.split(separator: "%").first.flatMap { Double($0.trimmingPrefix { $0 == " " }.dropLast()) }
    }
    #expect(percents.count == 2 && abs(percents.reduce(0, +) - 100) < 0.02)
    #expect(lines.contains { $0.hasSuffix("class:0  cat") } && lines.contains { $0.hasSuffix("class:1  dog") })
    for target in ["label:cat", "label:dog"] { #expect(try explain("binary", "--target", target).status == 0) }
  }

  /// (x + 64) as a 32-bit integer, minus 64: the cast rounds x + 64 toward zero.
  @Test func casts() throws {
    try save([1, 1, 2, 2], [0.3, 1.7, -0.4, -1.6])
    let outcome = try bench.run(
      "predict", model("cast_i32_plus64.onnx"), "x.npy", "--save", "npy", "--output", "out")
    #expect(outcome.status == 0)
    #expect(try map("logits") == [0, 1, -1, -2])
  }

  @Test func oldResize() throws {
    try save([1, 1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8])
    #expect(try bench.run("predict", model("resize10.onnx"), "x.npy", "--save", "npy", "--output", "out").status == 0)
    #expect(try map("logits") == [1, 3])
  }

  @Test func outputsWithoutAxesOrElements() throws {
    try save([1, 3, 4, 4])
    #expect(try explain("scalar.onnx", "--method", "gradient").status == 0)
    #expect(try map("class0.gradient").allSatisfy { abs($0 - 1 / 48) < 1e-6 })
    for command in ["predict", "explain"] {
      let outcome = try bench.run(command, model("empty.onnx"), "x.npy")
      #expect(outcome.status == 65 && outcome.errorLines.count == 1)
    }
    #expect(try bench.run("predict", model("squeezed.onnx"), "x.npy").output.split(separator: "\n").count == 4)
    #expect(try bench.run("inspect", model("nine.onnx")).status == 0)
  }

  @Test(arguments: [
    ("transposed.onnx", [1, 4, 4, 4]), ("seq.onnx", [1, 3, 4, 4]), ("broadcast.onnx", [1, 3, 4, 4]),
    ("lrn.onnx", [1, 6, 4, 4]),
  ])
  func otherFirstAxes(name: String, extents: [Int]) throws {
    try save(TensorShape(extents))
    let targets = ["--target", "class:0", "--target", "class:5"]
    #expect(
      try bench.run(
        ["explain", model(name), "x.npy", "--method", "gradient", "--save", "npy", "--output", "out"] + targets
      ).status == 0)
    let together = try [map("class0.gradient"), map("class5.gradient")]
    for (target, expected) in zip(["class0", "class5"], together) {
      #expect(
        try bench.run(
          "explain", model(name), "x.npy", "--method", "gradient", "--save", "npy", "--output", "out", "--target",
          "class:\(target.dropFirst(5))"
        ).status == 0)
      #expect(try map("\(target).gradient") == expected)
      #expect(expected.contains { $0 != 0 })
    }
  }

  @Test func severalOutputs() throws {
    try save([1, 3, 8, 8])
    let outcome = try bench.run("predict", model("two_outputs"), "x.npy")
    #expect(outcome.status == 0 && outcome.errors.contains("--output-node"))
    let plan = try bench.run("inspect", model("two_outputs"))
    #expect(plan.status == 0 && plan.output.contains("outputs: f, y (explained)"))
    #expect(try bench.run("predict", model("two_outputs"), "x.npy", "--output-node", "f").status == 0)
  }

  /// Pixels minus Caffe's means leave ImageNet's box. With their own box, no relevance is negative.
  @Test func theBoxOfOtherPixels() throws {
    let means: [Float] = [103.939, 116.779, 123.68]
    let pixels = Seeded.tensor([1, 3, 8, 8], seed: 3, low: 0, high: 255).elements
    try save([1, 3, 8, 8], pixels.enumerated().map { $1 - means[$0 / 64] })
    let outcome = try bench.run(
      "explain", model("caffe_npy"), "x.npy", "--method", "lrp", "--save", "npy", "--output", "out")
    #expect(outcome.status == 0 && outcome.errors.contains("preprocessor_config.json"))
    try bench.write(
      """
      name: caffe
      extends: default
      rules: [{op: Conv, position: first, rule: zB, lower: [-103.939, -116.779, -123.68], upper: [151.061, 138.221, 131.32]}]
      """, to: "caffe.yaml")
    let boxed = try bench.run(
      "explain", model("caffe_npy"), "x.npy", "--method", "lrp", "--rules", "caffe.yaml", "--save", "npy", "--output",
      "out")
    #expect(boxed.status == 0 && !boxed.errors.contains("box"))
    let target = try #require(bench.contents(of: "out/x").first { $0.hasSuffix(".lrp.npy") })
    let map = try NumPyFile.read(bench.path("out/x/\(target)")).elements
    #expect(map.allSatisfy { $0 >= 0 } && map.contains { $0 > 0 })
    // The range is still known after a flip of channels before the first layer.
    #expect(
      try bench.run("explain", model("first_flip_slice"), "x.npy", "--method", "lrp", "--output", "flip").status == 0)
  }

  @Test func rectifiersThatAreClips() throws {
    try save([1, 3, 16, 16])
    for method in ["gradient", "guided-backprop", "deconvnet"] {
      #expect(try explain("gb_relu6.onnx", "--target", "class:0", "--method", method).status == 0)
    }
    let maps = try ["gradient", "guided-backprop", "deconvnet"].map { try map("class0.\($0)") }
    #expect(maps[0] != maps[1] && maps[0] != maps[2] && maps[1] != maps[2])
  }

  @Test func orderAndEmptiness() throws {
    try save([1, 3, 4, 4])
    #expect(try bench.run("predict", model("unsorted.onnx"), "x.npy").status == 0)
    let constant = try bench.run("predict", model("constant.onnx"), "x.npy")
    #expect(constant.status == 65 && constant.errorLines.count == 1 && constant.errors.contains("does not depend on"))
  }

  @Test func oneChannel() throws {
    try save([1, 1, 28, 28])
    for method in MethodCatalog.general where !method.isRelevance {
      let outcome = try bench.run(
        "explain", model("grey"), "x.npy", "--rules", "paper", "--method", method.name, "--save", "npy", "--output",
        "out")
      #expect(outcome.status == 0, "\(method)")
    }
    // Relevance works as well, because the range of a single channel is known.
    for options in [["--rules", "paper"], []] {
      let explained = try bench.run(["explain", model("grey"), "x.npy", "--method", "lrp"] + options)
      #expect(explained.status == 0 && explained.errors.contains("the range 0.0…1.0 is assumed for rule zB"))
    }
    let plan = try bench.run("inspect", model("grey"), "--rules", "paper")
    #expect(plan.status == 0 && plan.output.contains("GlobalAveragePool"))
    #expect(try bench.run("bench", model("grey"), "--rules", "paper", "--runs", "1").status == 0)
    #expect(
      try bench.run("lab", model("grey"), "x.npy", "--layer", "fc", "--rule", "zPlus", "--rule", "epsilon").status == 0)
  }
}

/// The folder of the small models.
enum SharedCases {
  static let folder = Fixtures.root.deletingLastPathComponent().appendingPathComponent("shared/cases")
  static let areThere = FileManager.default.fileExists(atPath: folder.appendingPathComponent("README.md").path)
}
