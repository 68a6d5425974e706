import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Boxes, cosines, and units of outputs on the command line.
@Suite struct FurtherTargetTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  private func explanations() throws -> [[String: Any]] {
    let report = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: bench.path("out/report.json"))))
    let input = try #require(((report as? [String: Any])?["inputs"] as? [[String: Any]])?.first)
    return try #require(input["explanations"] as? [[String: Any]])
  }

  private func explain(_ model: String, _ input: String, _ options: String...) throws -> Outcome {
    try bench.run(["explain", model, input, "--output", "out", "--channel-range", "0,2"] + options)
  }

  @Test func boxes() throws {
    _ = try ONNXWriter().write(SampleDetector.objectnessBetween.network(), to: bench.path("detector.onnx"))
    try NumPyFile.write(SampleDetector.image(hasBlue: true), to: bench.path("x.npy"))
    let outcome = try explain(
      "detector.onnx", "x.npy", "--target", "box:1", "--target", "box:2", "--save", "npy,json,html,png")
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      outcome.errorLines.contains {
        $0
          == "note: x.npy: box:1 is class 1 at position 9 of 16, confidence 100 %: objectness 100 % × class 100 %; box 12.2, 16.6, 6.2, -8, as "
          + "in the network's output; the output has 3 independent classes at each of 16 positions, plus an objectness and 4 other "
          + "channels; overlapping boxes are not removed"
      }, "\(outcome.errors)")
    let found = try explanations()
    #expect(found.map { $0["target"] as? String } == ["box:1", "box:2"])
    #expect(found.allSatisfy { $0["method"] as? String == "lrp" })
    let box = try #require(found[0]["box"] as? [String: Any])
    #expect(box["classIndex"] as? Int == 1 && box["position"] as? [Int] == [9])
    #expect((box["coordinates"] as? [Double])?.count == 4)
    #expect(abs(try #require(found[0]["score"] as? Double) - 12) < 1e-4)
    #expect(abs(try #require(box["objectness"] as? Double) - 1 / (1 + exp(-8))) < 1e-6)
    #expect(FileManager.default.fileExists(atPath: bench.path("out/x/box1.lrp.npy")))
    let page = try String(contentsOfFile: bench.path("out/x/explanation.html"), encoding: .utf8)
    #expect(page.contains("box 1: class 1 at position 9 of 16"))
    let wrong = try explain("detector.onnx", "x.npy", "--target", "box:17")
    #expect(wrong.status == 64 && wrong.errors.contains("box:17: no box has this rank; expected 1 to 16"))
    let none = try explain("bare.onnx", "input.npy", "--target", "box:1")
    #expect(
      none.status == 64 && none.errors.contains("expected a detector") && none.errors.contains("found 288 classes"))
  }

  @Test func cosines() throws {
    let output = try Executor(NeuralNetwork(contentsOf: bench.path("bare.onnx")))
      .logits(NumPyFile.read(bench.path("input.npy")))
    // The output itself, in a different shape.
    try NumPyFile.write(output.reshaped(to: [4, 72]), to: bench.path("same.npy"))
    try NumPyFile.write(Tensor(shape: [7], repeating: 1), to: bench.path("other.npy"))
    let outcome = try explain("bare.onnx", "input.npy", "--target", "cosine:same.npy", "--save", "npy,json,html,png")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let found = try explanations()[0]
    #expect(abs(try #require(found["score"] as? Double) - 1) < 1e-6)
    #expect(found["method"] as? String == "lrp" && found["target"] as? String == "cosine:same.npy")
    #expect(FileManager.default.fileExists(atPath: bench.path("out/input/cosine-same.lrp.npy")))
    for (file, sentence) in [
      ("other.npy", "cosine:other.npy: the reference has 7 elements; expected 288, as in each item of the output"),
      ("missing.npy", "missing.npy: no such file"),
    ] {
      let wrong = try explain("bare.onnx", "input.npy", "--target", "cosine:\(file)")
      #expect(wrong.status != 0 && wrong.errors.contains(sentence) && wrong.errorLines.last?.contains(sentence) == true)
    }
  }

  /// Units of two outputs in one run.
  @Test func unitsOfSeveralOutputs() throws {
    let folder = Fixtures.path("cases/two_outputs")
    let outcome = try explain(
      folder, folder + "/input.npy", "--target", "unit:head/features/3", "--target", "unit:logits/1", "--target",
      "class:1", "--save", "npy,json")
    #expect(outcome.status == 0, "\(outcome.errors)")
    let features = try Fixtures.tensor("cases/two_outputs/features-output.npy")
    let scores = try explanations().map { try #require($0["score"] as? Double) }
    #expect(abs(scores[0] - Double(features[0, 3])) < 1e-5 && scores[1] == scores[2])
    let map = { (name: String) throws in try NumPyFile.read(bench.path("out/input/\(name).lrp.npy")) }
    #expect(try map("unit-logits-1") == map("class1"))
    let alone = try bench.run(
      "explain", folder, folder + "/input.npy", "--output-node", "head/features", "--target", "class:3", "--method",
      "lrp",
      "--save", "npy", "--output", "alone", "--channel-range", "0,2")
    #expect(alone.status == 0)
    let expected = try NumPyFile.read(bench.path("alone/input/class3.lrp.npy"))
    #expect(try map("unit-head_features-3").relativeDistance(from: expected) <= Tolerance.map)
  }
}
