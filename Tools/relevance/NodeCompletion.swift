import ArgumentParser
import RelevanceKit

extension CompletionKind {
  /// Completes to the names of the nodes of the network on the command line.
  static var nodes: CompletionKind {
    .custom { words, _, _ in
      for word in words.dropFirst() where !word.hasPrefix("-") {
        // A word that is no model is another argument.
        if let options = try? ModelOptions.parse([word, "--quiet"]), let model = try? options.load() {
          // To a shell, a line break ends a name.
          return model.network.graph.nodes.map(\.name).filter { $0 == $0.printable }
        }
      }
      return []
    }
  }
}
