import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the predicted classes.",
    discussion: """
      Prints the best classes of each input: probability, logit, number, name. Of detectors and recognizers the \
      classes with the best positions; of segmentation networks the classes with the largest score at the most positions, and at which \
      share of them.

      Examples:
        relevance predict squeezenet1.1 photo.jpg --top 3
        relevance predict model.onnx photos/ --save npy --output logits
        relevance predict detector.onnx photo.jpg --save npy --outputs
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions

  @Option(help: ArgumentHelp("How many classes to print.", valueName: "k"))
  var top = 5

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output = "explanations"

  @Option(help: ArgumentHelp("What to write: npy, the logits as DIR/<input>/logits.npy.", valueName: "npy"))
  var save: String?

  @Flag(
    help: """
      With --save npy: also write the values of every output of the network, as DIR/<input>/<output>.npy. Letters that names of \
      files should not have become _, and a number follows a name that is taken.
      """)
  var outputs = false

  func validate() throws {
    if outputs, save == nil { throw ValidationError("--outputs needs --save npy") }
    if top < 1 { throw ValidationError("--top is \(top); expected a positive number") }
    if let save, save != "npy" { throw ValidationError("--save: \(save) is not npy") }
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
