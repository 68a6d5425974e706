import RelevanceNetworks
import RelevanceTensors

/// Rearrange: where a node only moves values, relevance moves back to where they came from.
///
/// - Use: Concat, Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Slice, Split, Gather, Pad, Expand, Resize, GridSample, Where,
///   TopK. Part of every table.
/// - Definition: the adjoint of the rearrangement: a join is split, a value used twice gets both shares, interpolation
///   sends back what it mixed. What decides where values come from, as the condition of Where or the positions of GridSample, takes nothing.
/// - Its parameters: none.
/// - Bias: a constant that was chosen, or that is joined to other values, as a class token is, keeps what arrives.
/// - Conservation: exact, except for what arrives at constants and at values that padding made up.
/// - Reference: none needed: it is the only choice that keeps each value's relevance with it.
public struct RearrangeRule: NamedRule {
  public static let name = "rearrange"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: OperatorKind.all(.rearrangement)) }

  /// What padding made up takes its relevance with it.
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

  /// Whether some of the values are constants.
  private func holdsConstants(at site: RuleSite) -> Bool {
    let places = site.kind == .where ? 1..<site.operandIsLive.count : site.operandIsLive.indices
    return [.where, .concat].contains(site.kind) && !site.operandIsLive[places].allSatisfy { $0 }
  }
}
