import RelevancePropagation
import RelevanceTensors

/// `max(0, Σ_k max(0, ∂y/∂A_k) ⊙ A_k)` at a layer, resized to the input. Each position is weighted by its own gradient.
/// (P.-T. Jiang et al., “LayerCAM: exploring hierarchical class activation maps for localization”, IEEE Transactions on
/// Image Processing 30, 2021.)
///
/// At layers before the last one, LayerCAM preserves finer detail than Grad-CAM, whose weights are means over all
/// positions.
public struct LayerCAM: AttributionMethod {
  /// The layer; nil for the last layer that has positions or, in a transformer, the last normalized tokens (see
  /// `Trace.defaultCAMLayer(for:)`).
  public private(set) var layer: String?

  public static let name = "layer-cam"
  public static let parameters: [Parameter<Self>] = [.layer(\.layer)]
  public init() {}
  /// Makes the method.
  public init(layer: String?) { self.layer = layer }

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .nonNegative }
  public func remarks(in trace: Trace) throws -> [String] { [try trace.camRemark(at: layer, for: self)] }
  public func quantity(of score: String) -> String { "\(score), class activation" }
  public var takesConditions: Bool { false }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    try layerMaps(of: targets, in: trace).map { AttributionMap(trace.resizedToInput($0)) }
  }

  /// The maps before they are resized: batch × 1 × height × width of the layer.
  ///
  /// - Throws: `RelevanceKitError` for an unknown layer, a layer without positions, a layer from which no path leads to
  ///   the target, or a target that does not exist.
  /// - Complexity: one backward pass per target, from the logits to the layer.
  public func layerMaps(of targets: [Target], in trace: Trace) throws -> [Tensor] {
    try trace.classActivationMaps(of: targets, at: layer, for: self) { gradient in gradient.map { max(0, $0) } }
  }
}

extension AttributionMethod where Self == LayerCAM {
  /// LayerCAM at the last layer that has positions.
  public static var layerCAM: LayerCAM { LayerCAM() }
}
