import ArgumentParser
import Foundation
import RelevanceKit
import RelevanceToolSupport

struct Concepts: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows which channels of a layer support a prediction, and their reference images.",
    discussion: """
      relevance concepts MODEL INPUT --layer NODE is short for relevance concepts show. relevance concepts index \
      collects, for each channel, the images of a data set in which the channel has the largest relevance or activation.

      Examples:
        relevance concepts squeezenet1.1 photo.jpg --layer fire9_expand3x3
        relevance concepts index squeezenet1.1 val/ --layer fire9_expand3x3 --concept-page
        relevance concepts squeezenet1.1 photo.jpg --layer fire9_expand3x3 --index concept-index
      """,
    subcommands: [ConceptsShow.self, ConceptsIndex.self, ConceptsMerge.self], defaultSubcommand: ConceptsShow.self)
}

/// Joins the shards of an index.
struct ConceptsMerge: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Merges the states of all shards into the index of a single run.",
    discussion: """
      Example: relevance concepts merge concept-index --output concept-index
      """)

  @Argument(help: ArgumentHelp("States of shards, or folders that contain them.", valueName: "state"))
  var paths: [String]

  @Option(help: ArgumentHelp("The folder to write to.", valueName: "dir"), completion: .directory)
  var output = "concept-index"

  func run() throws {
    let states = try paths.flatMap { path -> [String] in
      guard FileSystem.isFolder(path) == true else { return [path] }
      let found = ((try? FileSystem.names(in: path)) ?? []).filter {
        $0.hasPrefix("index-") && $0.hasSuffix(".state")
      }.sorted()
      guard !found.isEmpty else {
        throw SimpleError("\(path): expected states of shards, index-i-of-n.state, found none", .missingInput)
      }
      return found.map { PathText.join(path, $0) }
    }
    let index = try ConceptIndex.merging(states)
    try makeFolder(URL(fileURLWithPath: output))
    try index.write(to: output)
    Console.summary(index.summary(in: output))
  }
}

extension ConceptIndex {
  /// A summary of the written index.
  func summary(in folder: String) -> String {
    let images = inputs.count - failures.count
    let first =
      "\(folder)/index.json: up to \(top) of \(images) images for each channel, by relevance and by activation"
    return ([first] + layers.map { "  \($0.node): \($0.channels) channels" }).map(\.printable).joined(separator: "\n")
  }
}
