import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Explanations of classes whose logit is not positive.
@Suite struct UnsupportedClassTests {
  /// A class with a negative logit is explained unchanged, with a warning in the report.
  @Test func unsupportedClassesAreMarked() throws {
    let bench = try Workbench()
    let explainer = try Explainer(
      NeuralNetwork(contentsOf: bench.path("bare.onnx")), rules: .default(pixelRange: .imageNet))
    let trace = try explainer.trace(NumPyFile.read(bench.path("input.npy")))
    let worst = try #require(trace.predictions().last)
    #expect(worst.logit < 0)
    let outcome = try bench.run("explain", "bare.onnx", "input.npy", "--target", "class:\(worst.classIndex)")
    #expect(outcome.status == 0)
    let warning =
      "input.npy: the logit of class \(worst.classIndex) is not positive: its map shows no support for this class; "
      + "explain a predicted class"
    #expect(outcome.errorLines.dropFirst() == ["note: " + warning])
    #expect(try ExplainTests.Report(bench.path("explanations/report.json")).warnings == [warning])

    // A map that is 0 everywhere is named.
    try NumPyFile.write(Tensor(shape: [3, 8, 9]), to: bench.path("zeros.npy"))
    let predictions = try explainer.trace(Tensor(shape: [1, 3, 8, 9])).predictions()
    let unsupported = try #require(predictions.last { $0.logit <= 0 })
    let empty = try bench.run(
      "explain", "bare.onnx", "zeros.npy", "--target", "class:\(unsupported.classIndex)", "--method", "gradient-x-input"
    )
    #expect(
      empty.errors.contains("and the map by gradient-x-input is empty; explain a predicted class"), "\(empty.errors)")
  }
}
