import ArgumentParser
import Foundation
import RelevanceKit

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what the network sees.",
    discussion: """
      Prints the best classes of each input: probability, logit, number, name.

      Examples:
        relevance predict squeezenet1.1 photo.jpg --top 3
        relevance predict model.onnx photos/ --save npy --output logits
      """)

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions

  @Option(help: ArgumentHelp("How many classes to print.", valueName: "k"))
  var top = 5

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output = "explanations"

  @Option(help: ArgumentHelp("What to write: npy, the logits as DIR/<input>/logits.npy.", valueName: "npy"))
  var save: String?

  func validate() throws {
    if top < 1 { throw ValidationError("--top is \(top); expected a positive number") }
    if let save, save != "npy" { throw ValidationError("--save: \(save) is not npy") }
  }

  func run() throws {
    let model = try model.load()
    let executor = Executor(model.network, threads: self.model.threads)
    let files = try inputs.files(areWritten: save != nil)
    noteAssumedPreprocessing(of: model, for: files)
    try forEachInput(files) { file in
      let input = try inputs.fitting.load(file, for: model)
      let logits = try input.run { try executor.logits($0) }
      if save != nil {
        let folder = URL(fileURLWithPath: output).appendingPathComponent(file.stem)
        try makeFolder(folder)
        try NumPyFile.write(logits, to: folder.appendingPathComponent("logits.npy").path)
      }
      print(file.name)
      for prediction in Prediction.ranking(logits, areIndependent: model.network.hasIndependentClasses).prefix(top) {
        let score = Report.ClassScore(
          classIndex: prediction.classIndex, label: model.labels?[prediction.classIndex], logit: prediction.logit,
          probability: prediction.probability)
        print("  " + score.line)
      }
    }
  }
}
