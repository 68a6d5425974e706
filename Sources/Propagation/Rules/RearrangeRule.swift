import RelevanceNetworks
import RelevanceTensors

/// Rearrange: where a node only moves values, relevance is returned to the positions that the values came from.
///
/// - Use: Concat, Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Slice, Split, Gather, Pad, Expand, Resize,
///   GridSample, Where, TopK. Part of every table.
/// - Definition: the adjoint of the rearrangement. A concatenation is split, a value that is used twice receives both
///   shares, and interpolation returns relevance in proportion to its coefficients. Operands that only determine where
///   values come from, such as the condition of Where or the positions of GridSample, receive nothing.
/// - Its parameters: none.
/// - Bias: the relevance of a constant that was selected, or concatenated to other values as a class token is, is
///   absorbed.
/// - Conservation: exact, except for relevance at constants and at values that padding adds.
/// - Reference: none; no other rule keeps the relevance of each value with the value.
public struct RearrangeRule: NamedRule {
  public static let name = "rearrange"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: OperatorKind.all(.rearrangement)) }

  /// Values that padding adds absorb their relevance.
  public func conserves(at site: RuleSite) -> Bool {
    ![.pad, .gridSample].contains(site.kind)
  }

  public func sendsRelevance(to operand: Int, at site: RuleSite) -> Bool {
    site.operandIsLive[operand] && !site.node.operation.decidingOperands.contains(operand)
  }

  public var constants: ConstantTreatment { .moved }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    [.resize, .where, .gridSample].contains(site.kind) ? .anything : .whatArrivesAtZeros
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.node.operation.keepsElements {
      return [relevance.reshaped(to: layer.relevanceShape(of: layer.operandShapes[0]))]
    }
    let arrived = layer.isBooking && holdsConstants(at: layer.site) ? layer.sums(of: relevance) : []
    let shares = layer.sentToOrigins(relevance, reachesDeciding: false)
    if !arrived.isEmpty {
      let left = shares.compactMap { $0.map { layer.sums(of: $0) } }
      layer.book(.bias, arrived.indices.map { item in left.reduce(arrived[item]) { $0 - $1[item] } })
    }
    return shares
  }

  /// Whether some of the output's values are constants.
  private func holdsConstants(at site: RuleSite) -> Bool {
    let places = site.kind == .where ? 1..<site.operandIsLive.count : site.operandIsLive.indices
    return [.where, .concat].contains(site.kind) && !site.operandIsLive[places].allSatisfy { $0 }
  }
}
