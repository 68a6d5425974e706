import RelevancePropagation
import RelevanceTensors

/// Attention weighted by its gradient and accumulated along all layers, `M ← M + Ā·M`, where `Ā = E_h[max(0, ∇A ⊙ A)]`
/// is a mean over the heads. The map is the share of each part of the image in the class token or, in networks without
/// a class token, in the mean of all tokens, resized to the input. (H. Chefer, S. Gur, L. Wolf, “Generic
/// attention-model explainability”, ICCV 2021, eq. 5 and 6.)
public struct GradientTimesAttention: AttributionMethod {
  public static let name = "gradient-x-attention"
  public static let parameters: [Parameter<Self>] = []
  /// Makes the method.
  public init() {}

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .nonNegative }
  public func remarks(in trace: Trace) throws -> [String] { [try TokenAttention(of: trace, for: name).remark] }
  public func quantity(of score: String) -> String { "\(score), attention" }
  public var takesConditions: Bool { false }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    try grids(of: targets, in: trace).map { AttributionMap(trace.resizedToInput($0)) }
  }

  /// The maps before they are resized: batch × 1 × height × width of the token grid.
  ///
  /// - Throws: `RelevanceKitError` if the network has no attention between image tokens, or for a target that does not
  ///   exist.
  /// - Complexity: one backward pass from the logits to each layer per target, and O(layers · tokens³) per item and
  ///   target.
  public func grids(of targets: [Target], in trace: Trace) throws -> [Tensor] {
    let attention = try TokenAttention(of: trace, for: name)
    let propagator = try trace.propagator(for: .gradient())
    let values = attention.nodes.map { trace.forward.itemByItem(trace.forward.value(of: $0), at: $0) }
    return try trace.inGroups(targets) { group, _ in
      let seeds = try VanillaGradient().seeds(for: group, in: trace).tensors
      let gradients = attention.nodes.map { propagator.relevance(arrivingAt: $0, from: seeds, count: group.count) }
      return group.indices.map { number in
        let elements = trace.items.flatMap { item in
          attention.flow(adding: true) { layer in
            trace.meanOverHeads(
              values[layer], gradients[layer], item: item, otherItem: item * group.count + number,
              tokens: attention.tokens
            ) { max(0, $0 * $1) }
          }
        }
        return Tensor(shape: [trace.batch, 1, attention.grid.height, attention.grid.width], elements: elements)
      }
    }
  }
}

extension AttributionMethod where Self == GradientTimesAttention {
  /// Gradient × attention.
  public static var gradientTimesAttention: GradientTimesAttention { GradientTimesAttention() }
}
