/// The evaluations that can be asked for by name. What is here has a subcommand of `relevance evaluate`, and its journals can be merged.
package enum EvaluationCatalog {
  /// The types, in the order in which they are listed.
  package static let types: [any NamedEvaluation.Type] = [
    Pointing.self, Ablation.self, GridPointing.self, Similarity.self, UnitsEvaluation.self,
    PixelFlipping<Deletion>.self, PixelFlipping<Insertion>.self, BorderEnergy.self, Stability.self,
  ]
}
