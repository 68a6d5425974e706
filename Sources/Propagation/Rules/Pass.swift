import Networks
import Tensors

/// Pass: relevance goes through unchanged.
///
/// - Use: rectifiers, normalisation, dropout, and scaling or shifting by constants: whatever maps each element of one
///   operand to one of the output.
/// - Definition: `R_i = R_i`. A constant factor s of negative sign (batch normalization with a negative scale, Neg, a product with or a
///   quotient by a negative constant, `c − x`) belongs to the layer whose output it scales: when a network is made, the layer's weights
///   take the sign over, `w ← sign(s)·w`, and |s| stays. Where no layer before it can, `s·x + b` belongs to the layers after it:
///   their contributions are `(s·x)·w`, and `b·w` is a bias. Elsewhere relevance keeps its sign, and the plan warns.
/// - Its parameters: none.
/// - Bias: bypassed.
/// - Conservation: exact.
/// - Reference: *Gu18* §3.1 (“normalization layers are bypassed”); *Bach15* §“multilayer networks”.
public struct Pass: Rule {
  /// Makes the rule.
  public init() {}

  public func objection(at site: RuleSite) -> String? {
    let kinds: [OperatorKind] = [
      .batchNormalization, .layerNormalization, .lrn, .dropout, .identity, .softmax, .logSoftmax, .add, .sub, .mul,
      .div, .neg,
    ]
    guard kinds.contains(site.kind) || OperatorKind.activations.contains(site.kind) else {
      return
        "it applies to activations, normalisation and arithmetic with constants, and the node is \(site.kind.rawValue)"
    }
    let live = site.operandIsLive.count { $0 }
    return live == 1 ? nil : "relevance can pass to one operand only, and \(live) of the node's depend on the input"
  }

  public func conserves(at site: RuleSite) -> Bool { true }

  public func shareOfZeros(at site: RuleSite) -> ZeroShare {
    // These keep zero: what arrives at an operand that is 0 arrived at an output that is 0.
    let kinds: [OperatorKind] = [
      .relu, .dropout, .identity, .lrn, .leakyRelu, .prelu, .elu, .gelu, .hardSwish, .mish, .tanh, .mul, .div,
      .neg,
    ]
    return kinds.contains(site.kind) ? .whatArrivesAtZeros : .anything
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let r = relevance
    return layer.site.operandIsLive.enumerated().map { index, isLive in
      isLive ? layer.summed(r, to: layer.operandShapes[index]) : nil
    }
  }
}

extension Pass: NamedRule {
  public static let name = "pass"
  public init(_ arguments: Arguments) {}
}

extension Layer {
  /// The relevance of an operand of some shape that was repeated to that of the output: summed over the repetitions.
  func summed(_ relevance: Tensor, to operand: Shape) -> Tensor {
    let target = Self.relevanceShape(of: operand, batch: batch, seeds: seeds)
    return target.count == relevance.count ? relevance.reshaped(to: target) : relevance.summed(to: target)
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
