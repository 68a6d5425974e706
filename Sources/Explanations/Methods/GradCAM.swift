import RelevancePropagation
import RelevanceTensors

/// `max(0, Σ_k α_k A_k)` at a layer, where α_k is the mean gradient of channel k, resized to the input. *Selvaraju17*
/// eq. 1, 2.
public struct GradCAM: AttributionMethod {
  /// The layer; nil for the last layer that has positions or, in a transformer, the last normalized tokens (see
  /// `Trace.defaultCAMLayer(for:)`).
  public private(set) var layer: String?

  public static let name = "grad-cam"
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
    try trace.classActivationMaps(of: targets, at: layer, for: self) { gradient in
      let mean = gradient.reduce(0.0) { $0 + Double($1) } / Double(gradient.count)
      return [Float](repeating: Float(mean), count: gradient.count)
    }
  }
}

extension AttributionMethod where Self == GradCAM {
  /// Grad-CAM at the last layer that has positions.
  public static var gradCAM: GradCAM { GradCAM() }
}
