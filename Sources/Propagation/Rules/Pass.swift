import Networks
import Tensors

/// Pass: relevance goes through unchanged.
///
/// - Use: rectifiers, normalisation, dropout, and scaling or shifting by constants: whatever maps each element of one
///   operand to one of the output.
/// - Definition: `R_i = R_i`.
/// - Parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact.
/// - Reference: *Gu18* §3.1 (“normalization layers are bypassed”); *Bach15* §“multilayer networks”.
public struct Pass: Rule {
  /// Makes the rule.
  public init() {}

  public var description: String { "pass" }

  public func objection(at site: RuleSite) -> String? {
    let kinds: [OperatorKind] = [
      .batchNormalization, .layerNormalization, .lrn, .dropout, .identity, .softmax, .logSoftmax, .add, .sub, .mul,
      .div,
    ]
    guard kinds.contains(site.kind) || OperatorKind.activations.contains(site.kind) else {
      return
        "it applies to activations, normalisation and arithmetic with constants, and the node is \(site.kind.rawValue)"
    }
    let live = site.operandIsLive.count { $0 }
    return live == 1 ? nil : "relevance can pass to one operand only, and \(live) of the node's depend on the input"
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let r = relevance
    return layer.site.operandIsLive.enumerated().map { index, isLive in
      guard isLive else { return nil }
      let target = Layer.relevanceShape(of: layer.operandShapes[index], batch: layer.batch, seeds: layer.seeds)
      return target.count == r.count ? r.reshaped(to: target) : r.summed(to: target)
    }
  }
}

extension Tensor {
  /// Sums over the axes along which an operand of the given shape was repeated.
  func summed(to target: Shape) -> Tensor {
    let padded = [Int](repeating: 1, count: shape.rank - target.rank) + target.dimensions
    let strides = zip(padded, Shape(padded).strides).map { $0 == 1 ? 0 : $1 }
    var result = Tensor(shape: target)
    result.withUnsafeMutableElements { sums in
      withUnsafeElements { x in
        for position in x.indices {
          var (rest, to) = (position, 0)
          for axis in (0..<shape.rank).reversed() {
            to += rest % shape[axis] * strides[axis]
            rest /= shape[axis]
          }
          sums[to] += x[position]
        }
      }
    }
    return result
  }
}
