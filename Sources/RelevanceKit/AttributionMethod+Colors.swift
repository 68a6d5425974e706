import Explanations
import Imaging

extension AttributionMethod {
  /// The colors of this method's heatmaps: one side only where nothing is negative.
  public var heatmapColors: HeatmapColors { sign == .nonNegative ? .sequential : .diverging }
}
