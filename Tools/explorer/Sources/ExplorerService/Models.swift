import Foundation
import RelevanceKit
import Synchronization

/// The models of the service, and explainers for them.
final class Models: Sendable {
  /// A loaded model.
  struct Entry: Sendable {
    /// The name that requests use.
    let name: String
    /// The path as given on the command line.
    let path: String
    let model: Model
    let hasChannelsLast: Bool
  }

  struct ExplainerKey: Hashable {
    let model: String
    let fit: Question.Fit
    let table: String
    let rules: String
  }

  /// The memory for the relevance or the runs of one request, in bytes.
  static let workingMemory = 256 << 20

  let entries: [Entry]
  private let threads: Int?
  /// Explainers. They share threads, memory and packed weights with the first explainer of their model.
  private let explainers = Mutex(RecentlyUsed<ExplainerKey, Explainer>(limit: 64))
  private let first = Mutex<[String: Explainer]>([:])

  /// - Throws: `RelevanceKitError` for a model that cannot be read.
  init(_ paths: [String], threads: Int?) throws {
    self.threads = threads
    var entries: [Entry] = []
    for path in paths {
      let model =
        !path.contains("/") && Model.fetchedNames.contains(path) ? try Model(named: path) : try Model(contentsOf: path)
      var name = Self.name(of: path)
      var number = 2
      while entries.contains(where: { $0.name == name }) {
        name = Self.name(of: path) + "-\(number)"
        number += 1
      }
      entries.append(Entry(name: name, path: path, model: model, hasChannelsLast: model.network.hasChannelsLast))
    }
    self.entries = entries
  }

  /// `vgg16` for `/models/vgg16.onnx`, `/models/vgg16/` and `/models/vgg16/model.onnx`.
  private static func name(of path: String) -> String {
    var url = URL(fileURLWithPath: path)
    if url.deletingPathExtension().lastPathComponent == "model", url.deletingLastPathComponent().path != "/" {
      url.deleteLastPathComponent()
    }
    return url.pathExtension.lowercased() == "onnx"
      ? url.deletingPathExtension().lastPathComponent : url.lastPathComponent
  }

  func entry(_ name: String?) throws -> Entry {
    guard let name else {
      if entries.count == 1 { return entries[0] }
      throw ServiceError(.malformed, "the request has no model; expected one of " + names)
    }
    guard let found = entries.first(where: { $0.name == name }) else {
      throw ServiceError(.missing, "there is no model \(name.prefix(60)); expected one of " + names)
    }
    return found
  }

  private var names: String { entries.map(\.name).joined(separator: ", ") }

  /// The preprocessing of a model with a way of fitting images.
  func preprocessing(_ entry: Entry, _ fit: Question.Fit) -> Preprocessing {
    switch fit {
    case .crop: entry.model.preprocessing
    case .whole: entry.model.preprocessing.withoutCrop()
    case .native: entry.model.preprocessing.native
    }
  }

  /// The explainer for a request, for images that have been fitted.
  ///
  /// - Throws: `RelevanceKitError` with line and column if the text of a table has a mistake.
  func explainer(for question: Question) throws -> Explainer {
    let entry = try entry(question.model)
    let key = ExplainerKey(
      model: entry.name, fit: question.fit, table: question.table ?? "", rules: question.rules ?? "")
    if let found = explainers.withLock({ $0.value(for: key) }) { return found }
    let base = try first.withLock { first in
      if let found = first[entry.name] { return found }
      let made = try Explainer(
        entry.model.network, preprocessing: entry.model.preprocessing.native, threads: threads,
        memoryBudget: Self.workingMemory)
      first[entry.name] = made
      return made
    }
    let table = try self.table(for: question, entry)
    let explainer = try table.map { try base.replacingRules(with: $0) } ?? base
    explainers.withLock { $0.keep(explainer, for: key, size: 1) }
    return explainer
  }

  /// The table of a request, or nil for the recommended table.
  func table(for question: Question, _ entry: Entry) throws -> RuleTable? {
    let range = entry.model.preprocessing.pixelRange
    if let rules = question.rules {
      guard rules.utf8.count <= 1 << 20 else { throw ServiceError(.tooLarge, "rules: expected at most 1 MB of YAML") }
      return try RuleTable(yaml: rules, file: "rules", pixelRange: range)
    }
    guard let name = question.table else { return nil }
    guard let preset = RuleTable.preset(name, pixelRange: range) else {
      throw ServiceError(
        .unanswerable,
        "there is no rule table \(name.prefix(60)); expected one of " + RuleTable.presetNames.joined(separator: ", "))
    }
    return preset
  }
}
