import RelevanceKit

extension Catalog where Member == any AttributionMethod.Type {
  /// The methods that explain every network: all except those for attention.
  package static var general: [any AttributionMethod] {
    MethodCatalog.standard.methods.filter { !($0 is AttentionRollout) && !($0 is GradientTimesAttention) }
  }
}
