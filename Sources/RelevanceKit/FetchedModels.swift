import Foundation
import RelevanceSupport

/// The models that `Tools/models/fetch` has downloaded to the folder where the tools look for them.
package enum FetchedModels {
  /// The folder of the models: the environment variable `RELEVANCEKIT_MODELS`, or `relevancekit` in the user's cache.
  package static var folder: String {
    let environment = ProcessInfo.processInfo.environment
    let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
    return environment["RELEVANCEKIT_MODELS"] ?? cache + "/relevancekit"
  }

  /// The names of the models.
  package static var names: [String] {
    let found = (try? FileSystem.names(in: folder)) ?? []
    return found.filter { FileSystem.exists("\(folder)/\($0)/model.onnx") }.sorted()
  }

  /// The end of an error about an unknown name: a similar name, or the existing names.
  package static func suggestion(for name: String) -> String {
    let names = names
    let known = names.isEmpty ? "no model is fetched" : "fetched models: \(names.joined(separator: ", "))"
    return Suggestion.nearest(to: name, among: names).map { "; did you mean \($0)?" }
      ?? "; \(known); Tools/models/fetch --list prints the available models"
  }
}

extension Model {
  /// The names of the models that `Tools/models/fetch` has fetched, for `init(named:)`.
  public static var fetchedNames: [String] { FetchedModels.names }

  /// Reads a model that `Tools/models/fetch` has fetched, such as `squeezenet1.1`.
  ///
  /// The models are in the folder of the environment variable `RELEVANCEKIT_MODELS`, by default `relevancekit` in the
  /// user's cache.
  ///
  /// - Throws: `RelevanceKitError`, which lists the existing models, if there is no model with this name; and as
  ///   `init(contentsOf:output:inputs:)`.
  public init(named name: String) throws {
    guard !name.contains("/"), FetchedModels.names.contains(name) else {
      throw SimpleError("there is no fetched model \(name)" + FetchedModels.suggestion(for: name), .missingInput)
    }
    try self.init(contentsOf: FetchedModels.folder + "/" + name)
  }
}
