import Networks
import Propagation
import Tensors

/// Guided backpropagation times Grad-CAM. *Selvaraju17*.
public struct GuidedGradCAM: AttributionMethod {
  /// The layer of Grad-CAM; nil means the last that has positions: see `Trace.defaultCAMLayer(for:)`.
  public let layer: String?

  public static let name = "guided-grad-cam"
  public static let parameters = GradCAM.parameters
  /// Makes the method.
  public init(layer: String? = nil) { self.layer = layer }
  public init(_ arguments: Arguments) { self.init(layer: arguments.optionalText("layer")) }
  public var arguments: [String: Arguments.Value] { GradCAM(layer: layer).arguments }

  public var table: RuleTable? { .gradient(.guided) }
  public func quantity(of score: String) -> String { "\(score) per unit of input × class activation" }
  public func warnings(under plan: RulePlan) -> [String] { plan.warningsOfRectifiers(of: self) }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let maps = try GradCAM(layer: layer).maps(of: targets, in: trace, ledger: false)
    let guided = try GuidedBackprop().maps(of: targets, in: trace, ledger: false)
    let isLast = trace.plan.network.hasChannelsLast
    let channels = trace.input.shape[isLast ? 3 : 1]
    let positions = trace.input.count / trace.batch / channels
    return zip(maps, guided).map { map, guided in
      AttributionMap(
        Tensor(uninitialized: trace.input.shape) { result in
          map.values.withUnsafeElements { map in
            guided.values.withUnsafeElements { guided in
              for i in guided.indices {
                let pixel = isLast ? i / channels : i / positions / channels * positions + i % positions
                result[i] = guided[i] * map[pixel]
              }
            }
          }
        })
    }
  }
}

extension AttributionMethod where Self == GuidedGradCAM {
  /// Guided Grad-CAM at the last layer that has positions.
  public static var guidedGradCAM: GuidedGradCAM { GuidedGradCAM() }
}
