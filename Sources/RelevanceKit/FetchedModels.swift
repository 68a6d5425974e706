import Foundation
import RelevanceSupport

/// The models that `Tools/models/fetch` has put where the tools look for them.
package enum FetchedModels {
  /// The folder that holds them: the environment's `RELEVANCEKIT_MODELS`, or `relevancekit` in the user's cache.
  package static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
    return environment["RELEVANCEKIT_MODELS"] ?? cache + "/relevancekit"
  }

  /// Their names.
  package static var names: [String] {
    let found = (try? FileSystem.names(in: folder)) ?? []
    return found.filter { FileSystem.exists("\(folder)/\($0)/model.onnx") }.sorted()
  }

  /// What is there instead of a name that is not, as the end of a sentence.
  package static func suggestion(for name: String) -> String {
    let names = names
    let known = names.isEmpty ? "none is fetched" : "fetched are \(names.joined(separator: ", "))"
    return Suggestion.nearest(to: name, among: names).map { "; did you mean \($0)?" }
      ?? "; \(known), and Tools/models/fetch --list says what can be"
  }
}

extension Model {
  /// The names of the models that `Tools/models/fetch` has fetched, for `init(named:)`.
  public static var fetchedNames: [String] { FetchedModels.names }

  /// Reads a model that `Tools/models/fetch` has fetched, such as `squeezenet1.1`.
  ///
  /// They are in the folder that the environment's `RELEVANCEKIT_MODELS` names, by default `relevancekit` in the user's
  /// cache.
  ///
  /// - Throws: `RelevanceKitError` if none of that name is there, with those that are; and as
  ///   `init(contentsOf:output:inputs:)`.
  public init(named name: String) throws {
    guard !name.contains("/"), FetchedModels.names.contains(name) else {
      throw SimpleError("there is no fetched model \(name)" + FetchedModels.suggestion(for: name), .missingInput)
    }
    try self.init(contentsOf: FetchedModels.folder + "/" + name)
  }
}
