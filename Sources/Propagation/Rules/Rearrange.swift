import Execution
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
public struct Rearrange: Rule {
  /// Makes the rule.
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: [
      .concat, .flatten, .reshape, .transpose, .squeeze, .unsqueeze, .slice, .gather, .pad, .expand, .resize, .cast,
    ])
  }

  /// What padding made up takes its relevance with it.
  public func conserves(at site: RuleSite) -> Bool { site.kind != .pad }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare { site.kind == .resize ? .anything : .whatArrivesAtZeros }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.node.operation.keepsElements {
      let target = Layer.relevanceShape(of: layer.operandShapes[0], batch: layer.batch, seeds: layer.seeds)
      return [relevance.reshaped(to: target)]
    }
    guard let kernel = layer.kernel as? any LinearKernel else {
      preconditionFailure("\(layer.node.name) moves nothing")
    }
    return layer.adjoint(of: kernel, relevance)
  }
}

extension Rearrange: NamedRule {
  public static let name = "rearrange"
  public init(_ arguments: Arguments) {}
}

extension Layer {
  /// The adjoint of a linear node, for the operands that can take relevance.
  func adjoint(of kernel: any LinearKernel, _ relevance: Tensor) -> [Tensor?] {
    var results = zip(operandShapes, site.operandIsLive).map { shape, isLive in
      isLive ? uninitializedRelevance(like: shape) : nil
    }
    let targets = results.indices.map { results[$0]?.withUnsafeMutableElements { $0.baseAddress! } }
    relevance.withUnsafeElements { kernel.adjoint($0.baseAddress!, seeds: seeds, targets, on: workers) }
    return results
  }
}
