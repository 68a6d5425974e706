import RelevanceExecution
import RelevanceExplanations
import RelevanceImaging
import RelevancePropagation

extension Explainer {
  /// Explains a model's decisions: its network, with its preprocessing.
  ///
  /// - Parameters:
  ///   - model: what is explained.
  ///   - rules: the rule table; nil means `RuleTable.recommended` with the pixel range that the model's preprocessing
  ///     gives.
  ///   - threads: how many threads a run uses; nil means one per processor.
  ///   - convolution: how convolutions are computed.
  ///   - memoryBudget: as for a network.
  /// - Throws: A `RelevanceKitError` if the network's nodes do not fit one another.
  public init(
    _ model: Model, rules: RuleTable? = nil, threads: Int? = nil, convolution: ConvolutionAlgorithm = .automatic,
    memoryBudget: Int = 1 << 30
  ) throws {
    try self.init(
      model.network, rules: rules, preprocessing: model.preprocessing, threads: threads, convolution: convolution,
      memoryBudget: memoryBudget)
  }
}

extension AttributionMethod {
  /// The colors of this method's heatmaps: one side only where nothing is negative.
  public var heatmapColors: HeatmapColors { sign == .nonNegative ? .sequential : .diverging }
}
