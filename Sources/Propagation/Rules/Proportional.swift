import Execution
import Tensors

/// Proportional: an average's relevance goes to the positions averaged in proportion to their activations.
///
/// - Use: average pooling, global or windowed, over rectified activations.
/// - Definition: `R_i = x_i / Σ_i' x_i' · R_j`.
/// - Parameters: none.
/// - Bias: none.
/// - Conservation: exact; a window whose sum is 0 sends nothing.
/// - Reference: *Bach15* eq. 56 with ε = 0, the z-rule of a layer with equal weights.
public struct Proportional: Rule {
  /// Makes the rule.
  public init() {}

  public var description: String { "proportional" }

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: .averagePool, .globalAveragePool, .reduceMean)
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let (x, r) = (layer.operand, relevance)
    var result = layer.uninitializedRelevance(like: x.shape)
    result.withUnsafeMutableElements { c in
      x.withUnsafeElements { x in
        r.withUnsafeElements { r in
          if let kernel = layer.kernel as? AveragePoolKernel {
            kernel.shareByActivation(
              x: x.baseAddress!, r: r.baseAddress!, seeds: layer.seeds, c.baseAddress!, on: layer.workers)
          } else if let kernel = layer.kernel as? MeanKernel {
            kernel.shareByActivation(
              x: x.baseAddress!, r: r.baseAddress!, items: layer.batch, seeds: layer.seeds, c.baseAddress!,
              on: layer.workers)
          }
        }
      }
    }
    return [result]
  }
}
