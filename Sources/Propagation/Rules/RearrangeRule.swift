import Networks
import Tensors

/// Rearrange: where a node only moves values, relevance moves back to where they came from.
///
/// - Use: Concat, Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Slice, Split, Gather, Pad, Expand, Resize. Part of every
///   table.
/// - Definition: the adjoint of the rearrangement: a join is split, a value used twice gets both shares, interpolation
///   sends back what it mixed.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact, except for what arrives at values that padding made up.
/// - Reference: none needed: it is the only choice that keeps each value's relevance with it.
public struct RearrangeRule: NamedRule {
  public static let name = "rearrange"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: OperatorKind.all(.rearrangement)) }

  /// What padding made up takes its relevance with it.
  public func conserves(at site: RuleSite) -> Bool { site.kind != .pad }

  public var constants: ConstantTreatment { .moved }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { site.kind == .resize ? .anything : .whatArrivesAtZeros }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.node.operation.keepsElements {
      return [relevance.reshaped(to: layer.relevanceShape(of: layer.operandShapes[0]))]
    }
    return layer.adjoint(of: layer.linear, times: relevance)
  }
}
