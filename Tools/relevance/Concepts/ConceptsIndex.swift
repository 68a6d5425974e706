import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Finds the reference images of the channels of layers.
struct ConceptsIndex: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index",
    abstract: "Finds the reference images of each channel of a layer.",
    discussion: """
      The reference images of a channel are those in which it has the largest share of the layer's relevance for their \
      class (RelMax), and those in which it has the largest share of the layer's activation (ActMax), over all images \
      and within each class. DATA has a format that relevance evaluate accepts.

      Writes DIR/index.json and, for each layer, the NumPy arrays relmax.npy and actmax.npy [channels, top], and \
      relmax-by-class.npy and actmax-by-class.npy [classes, channels, top]. Their elements have the fields input, \
      class, value, row and column. DIR/index.state contains the state of the run: --resume continues from it after an \
      interruption and writes the same bytes as an uninterrupted run. --shard i/n processes every n-th image; \
      relevance concepts merge joins all shards.

      Examples:
        relevance concepts index squeezenet1.1 val/ --layer fire8_expand3x3 --layer fire9_expand3x3
        relevance concepts index squeezenet1.1 val/ --layer fire9_expand3x3 --shard 1/4
      """)

  @OptionGroup var options: DataRunOptions

  @Option(
    name: .customLong("layer"),
    help: ArgumentHelp(
      "A layer: a node between the input and the classes; relevance inspect lists all nodes. Repeatable.",
      valueName: "node"),
    completion: .nodes)
  var layers: [String]

  @Option(
    help: ArgumentHelp(
      "The method: lrp, or clrp1 or clrp2 for relevance that supports a class more than others.", valueName: "m"),
    transform: MethodCatalog.standard.method(parsing:))
  var method: any AttributionMethod = .lrp

  @Option(
    help: "Explain the labels of an image (labeled), or the class with the highest logit (predicted).")
  var target = TargetChoice.labeled

  @Option(help: ArgumentHelp("The number of images for each channel.", valueName: "n"))
  var top = 8

  @Option(help: "The value of a channel: its sum over all positions (sum), or its maximum (peak).")
  var statistic = ConceptIndexing.Statistic.sum

  @Flag(help: "Rank by relevance and activation instead of their share in the layer.")
  var absolute = false

  @Flag(inversion: .prefixedNo, help: "Also rank the images of each class.")
  var perClass = true

  @Flag(
    help:
      """
      Write an atlas of all channels with their reference images to DIR/concepts.html. With --resume, use the existing \
      index.
      """
  )
  var conceptPage = false

  @Option(
    help: ArgumentHelp(
      "The number of images for each channel in the atlas, by relevance and by activation.", valueName: "n"))
  var pageTop = 6

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"), completion: .directory)
  var output = "concept-index"

  func validate() throws {
    if pageTop < 1 { throw ValidationError("--page-top is \(pageTop); expected at least 1 image") }
    if conceptPage, options.shard != .whole {
      throw ValidationError(
        "--concept-page needs a complete index; expected no --shard; use --resume after merge")
    }
    if !(1...1000).contains(top) { throw ValidationError("--top is \(top); expected 1 to 1000 images") }
    if let twice = Dictionary(grouping: layers, by: { $0 }).first(where: { $1.count > 1 })?.key {
      throw ValidationError("--layer \(twice) is given twice")
    }
  }

  func run() throws {
    let setting = try options.setting(methods: [method])
    var indexing = ConceptIndexing(layers: layers)
    (indexing.top, indexing.target, indexing.statistic) = (top, target, statistic)
    (indexing.isNormalized, indexing.countsClasses) = (!absolute, perClass)
    let prepared = try indexing.prepared(setting.subject, on: setting.data)
    let folder = URL(fileURLWithPath: output)
    try makeFolder(folder)
    let index = try made(prepared, in: folder)
    if conceptPage {
      let page = try ConceptAtlas(index, setting, method: method, top: pageTop).page()
      try writeFile(Data(page.html().utf8), to: folder.appendingPathComponent("concepts.html"))
      Console.summary("\(output)/concepts.html: all channels with their images".printable)
    }
    try options.checkFailures(index.failures.count, of: index.inputs.count)
  }

  /// The index of a shard, or the complete index, which may exist already.
  private func made(_ prepared: PreparedConceptIndex, in folder: URL) throws -> ConceptIndex {
    let path = folder.appendingPathComponent(options.fileName("index", extension: "state")).path
    if options.shard == .whole, let index = try prepared.finished(in: folder, resumes: options.resume) { return index }
    let progress = ProgressLine("indexing")
    let index = try prepared.run(state: path, shard: options.shard, resumes: options.resume) {
      if let failure = $0.failure { Console.note("\(failure.name) is left out: \(failure.error)") }
      progress.update($0)
    }
    progress.end()
    guard options.shard == .whole else {
      Console.summary(
        "\(path): \(index.done) images; relevance concepts merge joins all \(options.shard.count) shards".printable)
      return index
    }
    try prepared.finish(index, in: folder, state: path)
    Console.summary(index.summary(in: output))
    return index
  }
}

extension TargetChoice: ExpressibleByArgument {}
extension ConceptIndexing.Statistic: ExpressibleByArgument {}
