import Propagation

/// `max(0, Σ_k max(0, ∂y/∂A_k) ⊙ A_k)` at a layer: each position is weighted by its own gradient, resized to the input.
/// (P.-T. Jiang et al., “LayerCAM: exploring hierarchical class activation maps for localization”, IEEE Transactions on Image Processing 30,
/// 2021.)
///
/// At layers before the last it keeps finer detail than Grad-CAM, whose weights are means over all positions.
public struct LayerCAM: AttributionMethod {
  /// The layer; nil means the last that has positions: see `Trace.defaultCAMLayer(for:)`.
  public private(set) var layer: String?

  public static let name = "layer-cam"
  public static let parameters: [Parameter<Self>] = [.layer(\.layer)]
  public init() {}
  /// Makes the method.
  public init(layer: String?) { self.layer = layer }

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .nonNegative }
  public func quantity(of score: String) -> String { "\(score), class activation" }
  public var takesConditions: Bool { false }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    try trace.classActivationMaps(of: targets, at: layer, for: self) { gradient in gradient.map { max(0, $0) } }
      .map { AttributionMap(trace.resizedToInput($0)) }
  }
}

extension AttributionMethod where Self == LayerCAM {
  /// LayerCAM at the last layer that has positions.
  public static var layerCAM: LayerCAM { LayerCAM() }
}
