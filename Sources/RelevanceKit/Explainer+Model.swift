import RelevanceExecution
import RelevanceExplanations
import RelevanceImaging
import RelevancePropagation

extension Explainer {
  /// Makes an explainer for a model: its network with its preprocessing.
  ///
  /// - Parameters:
  ///   - model: the model to explain.
  ///   - rules: the rule table; nil for `RuleTable.recommended` with the pixel range of the model's preprocessing.
  ///   - threads: the number of threads of a run; nil for one per processor.
  ///   - convolution: the algorithm for convolutions.
  ///   - memoryBudget: the memory budget, as for a network.
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit together.
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
  /// The colors of this method's heatmaps: sequential if no value is negative, otherwise diverging.
  public var heatmapColors: HeatmapColors { sign == .nonNegative ? .sequential : .diverging }
}
