import ArgumentParser
import RelevanceKit
import RelevanceToolSupport

@main
struct Relevance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relevance",
    abstract: "Shows which pixels spoke for a decision of a convolutional network in an ONNX file.",
    discussion: """
      Examples:
        relevance explain squeezenet1.1 photo.jpg --target label:zebra --save html
        relevance predict model.onnx photos/
        relevance inspect model.onnx --rules EpsilonPlusFlat

      squeezenet1.1 is a model that Tools/models/fetch has fetched. Lines for people are colored on terminals, unless NO_COLOR is \
      set.
      """,
    version: RelevanceKitPackage.version,
    subcommands: [
      Explain.self, Predict.self, Inspect.self, Doctor.self, Lab.self, Units.self, Concepts.self, Evaluate.self,
      Serve.self, Bench.self,
      List.self,
    ])

  /// Every failure is one line on standard error and an exit status that says whose it is.
  static func main() { runReportingFailure() }
}
