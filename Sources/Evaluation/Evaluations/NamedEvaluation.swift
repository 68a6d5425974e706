import RelevanceExplanations
import RelevancePropagation

/// An evaluation with its name and parameters declared: all that command lines, merging and documentation need to know
/// of it.
package protocol NamedEvaluation: ItemwiseEvaluation, Parameterized {
  /// The name on command lines; by default the same as in journals.
  static var subcommand: String { get }
  /// What it measures, in a line.
  static var abstract: String { get }
  /// More of it, with an example of a command line.
  static var discussion: String { get }
  /// The methods that it is about; nil, as by default, if any can be compared.
  static var methods: [any AttributionMethod]? { get }
  /// The methods that are compared unless others are chosen.
  static var usualMethods: [any AttributionMethod] { get }
  /// What is drawn at random: the same for the same seed; of no effect where nothing is drawn.
  var seed: UInt64 { get set }
  /// Prepares to evaluate a subject on data.
  func prepared(_ subject: Subject, on data: DataSet) throws -> PreparedEvaluation
}

extension NamedEvaluation {
  public static var kind: String { "evaluation" }
  package static var subcommand: String { name }
  package static var methods: [any AttributionMethod]? { nil }
  package static var usualMethods: [any AttributionMethod] {
    [.random, .gradient, .guidedBackprop, .lrp, .clrp1, .clrp2]
  }
  package var seed: UInt64 {
    get { 0 }
    set {}
  }
}

extension Parameter where Owner: NamedEvaluation {
  /// The side of patches.
  static func patchSide(_ path: any WritableKeyPath<Owner, Int> & Sendable, _ help: String) -> Self {
    Self("patch", path, help, in: "pixels", expected: "an odd number of pixels below 10000") {
      (1...9999).contains($0) && $0 % 2 == 1
    }
  }
}

/// The evaluations that can be asked for by name. What is here has a subcommand of `relevance evaluate`, and its
/// journals can be merged.
package enum EvaluationCatalog {
  package static let types: [any NamedEvaluation.Type] = [
    Pointing.self, Ablation.self, GridPointing.self, Similarity.self, UnitsEvaluation.self,
    PixelFlipping<Deletion>.self, PixelFlipping<Insertion>.self, BorderEnergy.self, Stability.self,
    ConceptsEvaluation.self,
  ]
}
