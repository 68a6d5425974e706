import ArgumentParser
import RelevanceKit

extension CompletionKind {
  /// The names of the nodes of the network that the command line names, as far as it has been typed.
  static var nodes: CompletionKind {
    .custom { words, _, _ in
      for word in words.dropFirst() where !word.hasPrefix("-") {
        // What is no model is another argument.
        if let options = try? ModelOptions.parse([word, "--quiet"]), let model = try? options.load() {
          // A shell takes a line break in a name for the end of it.
          return model.network.graph.nodes.map(\.name).filter { $0 == $0.printable }
        }
      }
      return []
    }
  }
}
