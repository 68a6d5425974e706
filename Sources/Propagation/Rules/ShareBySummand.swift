import CKernels
import Execution
import Tensors

/// Share by summand: a sum's relevance goes to its summands in proportion to their values.
///
/// - Use: Add of two tensors, such as a residual connection. Part of every table.
/// - Definition: `R_a = a / (a + b) · R`, `R_b = b / (a + b) · R`, element by element; nothing where the sum is 0. A constant
///   summand's share is bypassed like a bias: the other summand takes all.
/// - Its parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact where the sum is not 0. Summands of opposite signs share with opposite signs.
/// - Reference: *Bach15* eq. 56 with ε = 0, for a layer that adds.
public struct ShareBySummand: Rule {
  /// Makes the rule.
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.add]) }

  public func conserves(at site: RuleSite) -> Bool { true }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    site.operandIsLive.allSatisfy { $0 } ? .nothing : .anything
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    guard layer.site.operandIsLive.allSatisfy({ $0 }) else { return Pass().propagate(relevance, through: layer) }
    let count = layer.outputShape.count / layer.batch
    var ratio = relevance
    let sum = layer.relevantOutput
    layer.bookZeroDenominators(ratio, sum)
    ratio.withUnsafeMutableElements { r in
      sum.withUnsafeElements { z in
        let shared = Shared((r: r.baseAddress!, z: z.baseAddress!))
        layer.forEachRun(ofItems: count) { at, activation, count in
          rk_divide_nonzero(shared.pointer.r + at, shared.pointer.z + activation, 0, count)
        }
      }
    }
    return layer.operands.map { operand in
      let value = operand.shape == sum.shape ? operand : operand.expanded(to: sum.shape)
      var share = layer.uninitializedRelevance(like: sum.shape)
      share.withUnsafeMutableElements { share in
        ratio.withUnsafeElements { ratio in
          value.withUnsafeElements { x in
            let shared = Shared((share: share.baseAddress!, ratio: ratio.baseAddress!, x: x.baseAddress!))
            layer.forEachRun(ofItems: count) { at, activation, count in
              rk_multiply(shared.pointer.share + at, shared.pointer.ratio + at, shared.pointer.x + activation, count)
            }
          }
        }
      }
      return layer.summed(share, to: operand.shape)
    }
  }
}

extension ShareBySummand: NamedRule {
  public static let name = "shareBySummand"
  public init(_ arguments: Arguments) {}
}

extension Tensor {
  /// The tensor repeated along the axes on which it has extent 1.
  func expanded(to target: Shape) -> Tensor {
    let strides = BroadcastKernel.strides(shape, in: target)
    return Tensor(uninitialized: target) { result in
      withUnsafeElements { source in
        BroadcastKernel.walk(target) { position, index in
          result[position] = source[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
        }
      }
    }
  }
}
