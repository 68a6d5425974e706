import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

@main
struct ConvertModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert-model",
    abstract: "Converts a network to canonical form: an ONNX file that opens without copying its weights.",
    discussion: """
      Reads every ONNX file that relevance reads. Removes nodes that have no effect in inference, computes constants \
      and infers shapes. Keeps the names of nodes, input and output. Writes the weights to OUTPUT.data beside the \
      model, where relevance and other tools map them into memory. Both files appear only when they are complete.

      Examples:
        convert-model resnet18.onnx canonical.onnx --check
        convert-model vgg16.onnx small.onnx --half --inline
        convert-model resnet18.onnx folded.onnx --fold-batch-norm --check photo.npy
      """,
    version: RelevanceKitPackage.version)

  @Argument(help: ArgumentHelp("The network: a .onnx file, or a folder with model.onnx.", valueName: "input.onnx"))
  var input: String

  @Argument(help: ArgumentHelp("The file to write. An existing file is replaced.", valueName: "output.onnx"))
  var output: String

  @Argument(help: ArgumentHelp("Further inputs for --check.", valueName: "input.npy"))
  var checkedInputs: [String] = []

  @Flag(
    name: .customLong("fold-batch-norm"),
    help: """
      Fold each batch normalization into the convolution or linear layer before it. The outputs stay the same, but the \
      explanations change, because rules depend on weights and biases.
      """)
  var foldsBatchNormalization = false

  @Flag(
    name: .customLong("half"),
    help: "Store weights as FLOAT16, with casts to FLOAT: half the size, about 3 significant digits.")
  var halvesWeights = false

  @Flag(name: .customLong("inline"), help: "Store the weights in the model's file, which must be smaller than 2 GiB.")
  var isInline = false

  @Flag(
    name: .customLong("check"),
    help: """
      Run both networks on a random input and on each INPUT.npy, and fail if logits differ by more than 1e-5 (1e-2 \
      with --half), relative to the largest logit.
      """)
  var checks = false

  @OptionGroup var inputs: InputValueOptions

  @OptionGroup var verbosity: VerbosityOptions

  static func main() { runReportingFailure() }

  func validate() throws {
    if !checks, let first = checkedInputs.first {
      throw ValidationError("\(first) is given without --check; expected two files")
    }
  }

  func run() throws {
    let source = try ONNXFile(contentsOf: input, prefersLogits: false, inputs: GivenInputs(inputs.values()))
    for path in isInline ? [output] : [output, output + ".data"] where source.wasRead(from: path) {
      throw ONNXError.file(
        path, reason: "the network is read from this file; choose another name", category: .usage)
    }
    let original = try Console.detail("opened \(input)") { try source.network() }
    source.notes.forEach { Console.note($0) }
    let others = source.graph.outputNames.filter { $0 != source.graph.outputName }
    if !others.isEmpty {
      Console.note(
        "\(input) has \(others.count + 1) outputs; only the first, \(source.graph.outputName), is written"
      )
    }
    let network = foldsBatchNormalization ? try original.foldingBatchNormalization() : original
    for row in ConversionReport(of: source, to: network).rows { Console.summary(row.printable) }

    let writer = ONNXWriter(
      placement: isInline ? .inside : .beside, halvesWeights: halvesWeights, outputName: source.graph.outputName)
    let summary = try writer.write(network, to: output) { path in
      guard checks else { return }
      // Compare before the file gets its final name, so that a wrong file never appears.
      let check = try ConversionCheck(of: original, named: output, limit: halvesWeights ? 1e-2 : 1e-5)
      let converted = try NeuralNetwork(contentsOf: path)
      try check.compare(with: converted, randomly: try original.fittingInputShape())
      for path in checkedInputs { try check.compare(with: converted, on: path) }
    }
    let weights = ConversionReport.size(summary.weightBytes)
    Console.summary(
      ("wrote \(network.graph.nodes.count) nodes in opset \(summary.opset), "
        + "\(ConversionReport.size(summary.modelBytes)): \(output)").printable)
    if summary.weightBytes > 0 {
      Console.summary(
        "weights \(weights)\(halvesWeights ? " as FLOAT16" : "") in \(summary.dataFile ?? output)".printable)
    }
  }
}
