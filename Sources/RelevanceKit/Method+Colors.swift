import Explanations
import Imaging

extension Method {
  /// The colours of this method's heatmaps: one side only where nothing is negative.
  public var heatmapColors: HeatmapColors { isNonNegative ? .sequential : .diverging }
}
