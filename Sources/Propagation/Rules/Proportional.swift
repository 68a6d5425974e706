import CKernels
import Execution
import Tensors

/// Proportional: an average's relevance goes to the positions averaged in proportion to their activations.
///
/// - Use: average pooling, global or windowed, over rectified activations.
/// - Definition: `R_i = x_i / Σ_i' x_i' · R_j`.
/// - Its parameters: none.
/// - Bias: none.
/// - Conservation: exact; a window whose sum is 0 sends nothing.
/// - Reference: *Bach15* eq. 56 with ε = 0, the z-rule of a layer with equal weights.
public struct Proportional: Rule {
  /// Makes the rule.
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: [.averagePool, .globalAveragePool, .reduceMean, .reduceSum])
  }

  public func conserves(at site: RuleSite) -> Bool { true }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    if layer.site.kind == .reduceSum { return Z().propagate(relevance, through: layer) }
    let (x, r) = (layer.operand, relevance)
    layer.bookZeroDenominators(r, layer.isStepwise ? layer.relevantOutput : layer.output)
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

extension Proportional: NamedRule {
  public static let name = "proportional"
  public init(_ arguments: Arguments) {}
}

extension Layer {
  /// Books the relevance of outputs that are zero, where outputs are what a rule divides by.
  func bookZeroDenominators(_ relevance: Tensor, _ denominators: Tensor) {
    guard isBooking else { return }
    let lost = relevance.withUnsafeElements { r in
      denominators.withUnsafeElements { z in
        let shared = Shared((r: r.baseAddress!, z: z.baseAddress!))
        return sums(ofItems: z.count / batch) { at, activation, count, kept in
          rk_divide_losses(shared.pointer.r + at, shared.pointer.z + activation, 0, 0, count, kept)
        }
      }
    }
    book(.zeroDenominator, lost.map(\.0))
  }
}
