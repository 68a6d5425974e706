import ArgumentParser
import RelevanceKit
import ToolSupport

@main
struct Relevance: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "relevance",
    abstract: "Shows which pixels spoke for a decision of a convolutional network in an ONNX file.",
    version: RelevanceKitPackage.version,
    subcommands: [Explain.self, Predict.self, Inspect.self, Lab.self, Units.self, Evaluate.self, Bench.self])

  /// Every failure is one line on standard error and an exit status that says whose it is.
  static func main() { runReportingFailure() }
}
