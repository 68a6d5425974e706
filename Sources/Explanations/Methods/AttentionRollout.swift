import RelevancePropagation
import RelevanceTensors

/// Attention multiplied along all layers, `M ← ½ (Ā + I)·M`, where Ā is the mean over the heads. The map is the share
/// of each part of the image in the class token or, in networks without a class token, in the mean of all tokens,
/// resized to the input. It is the same for every target. (S. Abnar, W. Zuidema, “Quantifying attention flow in
/// transformers”, ACL 2020, §3.)
///
/// This is a baseline: it treats the values of all tokens as equal and does not depend on the target.
public struct AttentionRollout: AttributionMethod {
  public static let name = "attention-rollout"
  public static let parameters: [Parameter<Self>] = []
  /// Makes the method.
  public init() {}

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .nonNegative }
  public func remarks(in trace: Trace) throws -> [String] { [try TokenAttention(of: trace, for: name).remark] }
  public func quantity(of score: String) -> String { "share of attention" }
  public var takesConditions: Bool { false }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let map = AttributionMap(trace.resizedToInput(try grids(in: trace)))
    return targets.map { _ in map }
  }

  /// The map before it is resized: batch × 1 × height × width of the token grid.
  ///
  /// - Throws: `RelevanceKitError` if the network has no attention between image tokens.
  /// - Complexity: O(layers · tokens³) for each item.
  public func grids(in trace: Trace) throws -> Tensor {
    let attention = try TokenAttention(of: trace, for: name)
    let values = attention.nodes.map { trace.forward.itemByItem(trace.forward.value(of: $0), at: $0) }
    let elements = trace.items.flatMap { item in
      attention.flow(adding: false) { layer in
        let mean = trace.meanOverHeads(
          values[layer], values[layer], item: item, otherItem: item, tokens: attention.tokens
        ) { a, _ in a }
        return zip(mean, TokenAttention.identity(attention.tokens)).map { ($0 + $1) / 2 }
      }
    }
    return Tensor(shape: [trace.batch, 1, attention.grid.height, attention.grid.width], elements: elements)
  }
}

extension AttributionMethod where Self == AttentionRollout {
  /// Attention rollout.
  public static var attentionRollout: AttentionRollout { AttentionRollout() }
}
