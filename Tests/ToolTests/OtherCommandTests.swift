import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance predict`, `inspect` and help.
@Suite struct OtherCommandTests {
  @Test func predictRanksClasses() throws {
    let bench = try Workbench()
    let outcome = try bench.run("predict", "model", "input.npy", "--top", "3")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let trace = try Explainer(
      NeuralNetwork(contentsOf: bench.path("bare.onnx")), rules: .default(pixelRange: .imageNet)
    )
    .trace(NumPyFile.read(bench.path("input.npy")))
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.first == "input.npy")
    let expected = trace.predictions().prefix(3).map {
      String(format: "  %6.2f %%  logit %8.3f  class:%d", ($0.probability ?? 0) * 100, $0.logit, $0.classIndex)
    }
    #expect(Array(lines.dropFirst()) == expected)
    #expect(bench.contents(of: "explanations").isEmpty)
  }

  @Test func predictSavesLogits() throws {
    let bench = try Workbench()
    let outcome = try bench.run("predict", "bare.onnx", "input.npy", "--save", "npy", "--output", "out")
    #expect(outcome.status == 0)
    #expect(bench.contents(of: "out") == ["input", "input/logits.npy"])
    let expected = try Executor(NeuralNetwork(contentsOf: bench.path("bare.onnx")))
      .logits(NumPyFile.read(bench.path("input.npy")))
    #expect(try NumPyFile.read(bench.path("out/input/logits.npy")) == expected)
  }

  @Test(.enabled(if: FetchedModel.hasSqueezeNet, "Tools/models/fetch squeezenet1.1 has not been run"))
  func predictFindsCatAndCoffee() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "predict", FetchedModel.squeezeNet, Fixtures.path("cat-and-coffee.png"), "--fit", "native", "--top", "10")
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("class:282  tiger cat"))
    #expect(outcome.output.contains("class:967  espresso"))
  }

  @Test func inspectPrintsThePlan() throws {
    let bench = try Workbench()
    let outcome = try bench.run("inspect", "model", "--rules", "paper")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output == """
        conv-3x3: input 1×3×8×9, shapes for 1×3×8×9, rule table paper
        scores: 288 classes
        NODE     OPERATOR  SHAPE    RULE       ROW
        x        Input     1×3×8×9  –          the input
        y        Conv      1×4×8×9  zB         1: Conv, first
        classes  Flatten   1×288    rearrange  built in

        """)
  }

  @Test(arguments: [[], ["--help"], ["explain", "--help"], ["predict", "-h"], ["help", "inspect"]])
  func helpIsNoFailure(arguments: [String]) throws {
    let outcome = try Workbench().run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.output.contains("USAGE: relevance"))
    #expect(outcome.errors.isEmpty)
  }

  @Test func modelsMayBeFilesOrFoldersOrNames() throws {
    let bench = try Workbench()
    let outputs = try ["model", "model/model.onnx", bench.path("model")].map { try bench.run("inspect", $0).output }
    #expect(Set(outputs).count == 1)
    let named = try bench.run("inspect", "fetched", environment: ["RELEVANCEKIT_MODELS": bench.path("models")])
    #expect(named.status == 66)
    try FileManager.default.createDirectory(atPath: bench.path("models"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: bench.path("model"), toPath: bench.path("models/fetched"))
    let found = try bench.run("inspect", "fetched", environment: ["RELEVANCEKIT_MODELS": bench.path("models")])
    #expect(found.output == outputs[0])
    // In the library, names refer to fetched models only.
    let error = #expect(throws: (any Error).self) { try Model(named: "no-such-model") }
    #expect(
      (error as? any RelevanceKitError)?.description.hasPrefix("there is no fetched model no-such-model; ") == true)
    #expect(throws: (any Error).self) { try Model(named: "../models/fetched") }
  }
}
