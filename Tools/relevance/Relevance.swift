import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

@main
struct Relevance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relevance",
    abstract: "Explains decisions of neural networks in ONNX files: which pixels support a class.",
    discussion: """
      Examples:
        relevance explain squeezenet1.1 photo.jpg --target label:zebra --save html
        relevance predict model.onnx photos/
        relevance inspect model.onnx --rules EpsilonPlusFlat

      A model is an ONNX file, a folder with model.onnx, or the name of a model that Tools/models/fetch has fetched, \
      such as squeezenet1.1. Terminal output is colored unless NO_COLOR is set.
      """,
    version: RelevanceKitPackage.version,
    subcommands: [
      Explain.self, Predict.self, Inspect.self, Doctor.self, Lab.self, Units.self, Concepts.self, Evaluate.self,
      Serve.self, Bench.self,
      List.self,
    ])

  /// Runs the command. Every failure is one line on standard error and an exit status that names its kind.
  static func main() { runReportingFailure() }
}
