import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Units: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains the most active units of a layer, and tests the explanations by ablation.",
    discussion: """
      A unit is a channel at its most active position. The most active units are explained by LRP and CLRP2. The image \
      patch at the maximum of each CLRP2 map is then replaced, and the drop in the activation of every unit is \
      measured. Columns of the table:
        PATCH          row and column of the center of the patch
        DROP           relative drop of the unit itself
        LARGEST OTHER  largest relative drop of another unit
        GROUP          units with similar CLRP2 maps
      The matrix below contains the drop of each unit (column) for the patch of each unit (row).

      Writes DIR/<input>/units.csv (the table), drops.csv (the matrix) and units.png (all maps) for each input, and \
      DIR/report.json.

      Examples:
        relevance units squeezenet1.1 photo.jpg --layer fire9_squeeze
        relevance units vgg16.onnx photos/ --layer fc1 --top 12 --replace mean.npy
      """)

  /// A kind of output file.
  enum Kind: String, CaseIterable {
    case png
    case csv
    case json
  }

  @OptionGroup var model: ModelOptions
  @OptionGroup var inputs: InputOptions

  @Option(
    help: ArgumentHelp(
      "The layer: a fully connected layer, a convolution, or a rectifier after one; relevance inspect lists all nodes.",
      valueName: "node"), completion: .nodes)
  var layer: String

  @Option(help: ArgumentHelp("The number of units.", valueName: "n"))
  var top = 8

  @Option(help: ArgumentHelp("The side of the patches in pixels, an odd number.", valueName: "pixels"))
  var patch = 9

  @Option(
    help: ArgumentHelp(
      """
      The replacement of patches: mean (the pixel that the preprocessing subtracts), zero (black), or a .npy file with \
      the shape of the input, such as the mean of a data set, whose patch at the same place is used.
      """, valueName: "what"))
  var replace = "mean"

  @OptionGroup var rules: RuleOptions

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"))
  var output = "units"

  @Option(help: ArgumentHelp("The kinds of files to write, separated by commas: png, csv, json.", valueName: "list"))
  var save = "png,csv,json"

  func validate() throws {
    if top < 2 { throw ValidationError("--top is \(top); expected at least 2 units to compare") }
    if patch < 1 || patch % 2 == 0 { throw ValidationError("--patch is \(patch); expected an odd number of pixels") }
    if !["mean", "zero"].contains(replace), !replace.lowercased().hasSuffix(".npy") {
      throw ValidationError("--replace is \(replace); expected mean, zero or a .npy file")
    }
  }

  func run() throws {
    let kinds: Set<Kind> = try savedKinds(in: save)
    let model = try model.load()
    let explainer = try Explainer(
      rules.network(of: model), rules: rules.table(for: model), threads: self.model.threads)
    // Report an unknown node once, not for every input.
    _ = try explainer.network.graph.requiredNode(named: layer)
    let files = try inputs.files(for: model)
    noteAssumedPreprocessing(of: model, for: files)
    var options = UnitStudy.Options()
    options.count = top
    options.patchSide = patch
    options.replacement = try replacement(for: model)
    var report = UnitsReport(
      model: self.model.path, table: explainer.plan.table.name, patch: patch, replacement: replace)

    let notes = BoxNotes()
    defer { notes.end() }
    var failure: (any Error)?
    do {
      try forEachInput(files) { file in
        let input = try inputs.fitting.load(file, for: model)
        let trace = try input.run { try explainer.trace($0) }
        let entry = UnitsReport.Entry(
          file.name, try UnitStudy(trace, at: layer, options: options),
          active: try trace.mostActiveUnits(at: layer, count: .max).count)
        noteAssumedRange(of: model, for: file, under: explainer.plan)
        trace.boxViolations.forEach { notes.say("\(file.name): \($0)") }
        let written = try UnitsWriter(folder: "\(output)/\(file.stem)", kinds: kinds).write(entry, of: input)
        report.inputs.append(entry)
        Console.summary(([entry.text] + written.map(\.printable)).joined(separator: "\n"))
      }
    } catch { failure = error }
    if kinds.contains(.json), !report.inputs.isEmpty {
      try report.write(to: URL(fileURLWithPath: output).appendingPathComponent("report.json"))
    }
    if let failure { throw failure }
  }

  private func replacement(for model: Model) throws -> PatchAblation.Replacement {
    switch replace {
    case "mean":
      if model.preprocessing.mean.allSatisfy({ $0 == 0 }) {
        Console.note("the model's preprocessing subtracts no mean; --replace mean is black here")
      }
      return .mean
    case "zero": return .pixel(model.preprocessing.pixelRange.lower)
    default:
      let tensor = try NumPyFile.read(replace)
      return .image(tensor.shape.rank == 3 ? tensor.reshaped(to: TensorShape([1] + tensor.shape.dimensions)) : tensor)
    }
  }
}
