import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

/// Finds what the channels of layers stand for.
struct ConceptsIndex: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "index",
    abstract: "Finds for each channel of a layer the images in which it counts most.",
    discussion: """
      For each channel the images with the largest share of the layer's relevance for their class (RelMax), and with the largest share of \
      its activation (ActMax), over all images and for each class. DATA is what relevance evaluate takes.

      Writes DIR/index.json and, for each layer, relmax.npy, actmax.npy [channels, top] and relmax-by-class.npy, actmax-by-class.npy \
      [classes, channels, top], which NumPy reads: elements with the fields input, class, value, row and column. What was found so far is \
      kept in DIR/index.state: --resume goes on from there after an interruption, to the same bytes. --shard i/n does every n-th image, and \
      relevance concepts merge joins all shards.

      Examples:
        relevance concepts index squeezenet1.1 val/ --layer fire8_expand3x3 --layer fire9_expand3x3
        relevance concepts index squeezenet1.1 val/ --layer fire9_expand3x3 --shard 1/4
      """)

  @OptionGroup var options: DataRunOptions

  @Option(
    name: .customLong("layer"),
    help: ArgumentHelp(
      "A layer: a node between the input and the classes; relevance inspect lists them. Repeatable.", valueName: "node"),
    completion: .nodes)
  var layers: [String]

  @Option(
    help: ArgumentHelp(
      "How relevance is found: lrp or, for what speaks for a class and not for others, clrp1 or clrp2.", valueName: "m"),
    transform: MethodCatalog.standard.method(parsing:))
  var method: any AttributionMethod = .lrp

  @Option(
    help: "Explain the classes that an image is labeled with (labeled), or the one with the highest logit (predicted).")
  var target = TargetChoice.labeled

  @Option(help: ArgumentHelp("How many images are kept for each channel.", valueName: "n"))
  var top = 8

  @Option(help: "What of a channel counts: its sum over all positions (sum), or its largest value (peak).")
  var statistic = ConceptIndexing.Statistic.sum

  @Flag(help: "Rank by relevance and activation themselves, not by their share of the layer's.")
  var absolute = false

  @Flag(inversion: .prefixedNo, help: "Rank the images of each class as well.")
  var perClass = true

  @Flag(
    help:
      "Write the atlas of all channels with their images, DIR/concepts.html; of an index that is there with --resume.")
  var conceptPage = false

  @Option(
    help: ArgumentHelp("How many images the atlas shows of a channel, by relevance and by activation.", valueName: "n"))
  var pageTop = 6

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"), completion: .directory)
  var output = "concept-index"

  func validate() throws {
    if pageTop < 1 { throw ValidationError("--page-top is \(pageTop); expected at least 1 image") }
    if conceptPage, options.shard != .whole {
      throw ValidationError(
        "--concept-page is of a whole index; expected it without --shard, with --resume after merge")
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

  /// The index of a shard, or the whole one that is there already.
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
