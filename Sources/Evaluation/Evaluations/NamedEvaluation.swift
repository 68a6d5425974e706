import RelevanceExplanations
import RelevancePropagation

/// An evaluation that declares its name and parameters for the command line, for merging and for documentation.
package protocol NamedEvaluation: ItemwiseEvaluation, Parameterized {
  /// The name on the command line; by default the name in journals.
  static var subcommand: String { get }
  /// A line that says what it measures.
  static var abstract: String { get }
  /// Details, with an example of a command line.
  static var discussion: String { get }
  /// The methods that it evaluates; nil if any methods can be compared, which is the default.
  static var methods: [any AttributionMethod]? { get }
  /// The methods that are compared by default.
  static var usualMethods: [any AttributionMethod] { get }
  /// The seed of random choices; has no effect on evaluations without any.
  var seed: UInt64 { get set }
  /// Prepares the evaluation of a subject on a data set.
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
  /// The parameter for the side length of patches.
  static func patchSide(_ path: any WritableKeyPath<Owner, Int> & Sendable, _ help: String) -> Self {
    Self("patch", path, help, in: "pixels", expected: "an odd number of pixels below 10000") {
      (1...9999).contains($0) && $0 % 2 == 1
    }
  }
}

/// The evaluations that can be found by name. Each of them has a subcommand of `relevance evaluate`, and its journals
/// can be merged.
package enum EvaluationCatalog {
  package static let types: [any NamedEvaluation.Type] = [
    Pointing.self, Ablation.self, GridPointing.self, Similarity.self, UnitsEvaluation.self,
    PixelFlipping<Deletion>.self, PixelFlipping<Insertion>.self, BorderEnergy.self, Stability.self,
    ConceptsEvaluation.self,
  ]
}
