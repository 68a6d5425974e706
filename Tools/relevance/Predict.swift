import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the predicted classes.",
    discussion: """
      Prints the best classes of each input with probability, logit, number and name. For detectors and text \
      recognizers, prints each class at its best position; for segmentation networks, the share of positions where \
      each class has the highest score.

      Examples:
        relevance predict squeezenet1.1 photo.jpg --top 3
        relevance predict model.onnx photos/ --save npy --output logits
        relevance predict detector.onnx photo.jpg --save npy --outputs
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions

  @Option(help: ArgumentHelp("The number of classes to print.", valueName: "k"))
  var top = 5

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output = "explanations"

  @Option(help: ArgumentHelp("Write the logits to DIR/<input>/logits.npy (npy).", valueName: "npy"))
  var save: String?

  @Flag(
    help: """
      With --save npy: also write the values of every output to DIR/<input>/<output>.npy. Special characters become _, \
      and a number is appended to a name that exists already.
      """)
  var outputs = false

  func validate() throws {
    if outputs, save == nil { throw ValidationError("--outputs needs --save npy") }
    if top < 1 { throw ValidationError("--top is \(top); expected a positive number") }
    if let save, save != "npy" { throw ValidationError("--save is \(save); expected npy") }
  }

  func run() throws {
    let model = try model.load()
    let executor = Executor(model.network, threads: self.model.threads)
    let files = try inputs.files(for: model, areWritten: save != nil)
    noteAssumedPreprocessing(of: model, for: files)
    let all = outputs ? OutputFiles(of: model, threads: self.model.threads) : nil
    all?.failures.forEach { $0.report() }
    try forEachInput(files) { file in
      let input = try inputs.fitting.load(file, for: model)
      let values = try input.run { try executor.logits($0) }
      guard values.shape.count > 0 else {
        throw ExecutionError.empty(node: model.network.graph[model.network.logits].name, shape: values.shape)
      }
      if save != nil {
        let folder = URL(fileURLWithPath: output).appendingPathComponent(file.stem)
        try makeFolder(folder)
        try NumPyFile.write(values, to: folder.appendingPathComponent(OutputFiles.logits).path)
        try all?.write(for: input, to: folder)
      }
      let layout = try executor.scoreLayout(forInput: input.tensor.shape)
      let scores = PredictedScores(
        layout.scores(ofItem: values), objectness: layout.objectness(ofItem: values), layout: layout,
        labels: model.labels, top: top)
      Console.result(file.name.printable)
      for line in scores.lines { Console.result("  " + line.printable) }
    }
    if let failure = all?.failures.first { throw ExitCode(failure.status) }
  }
}
