import RelevanceNetworks
import RelevanceTensors

/// Softmax: the inputs of a softmax inside the network share relevance by its first-order expansion.
///
/// - Use: the softmax of attention, if the rule of the product after it gives relevance to attention.
/// - Definition: with the relevance R′ of the outputs `s = softmax(x)`: `R_i = x_i (R′_i − s_i Σ_k R′_k)`, where the
///   sum runs over the elements that are normalized together. Elements that a mask sets to −∞ receive nothing.
/// - Its parameters: none.
/// - Bias: the constant term of the expansion is absorbed.
/// - Conservation: none.
/// - Reference: *Achtibat24* proposition 3.1.
public struct SoftmaxRule: NamedRule {
  public static let name = "softmax"
  public init() {}

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.softmax]) }
  public func shareOfZeros(at site: RuleSite) -> ZeroShare { .nothing }
  public var constants: ConstantTreatment { .counted }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    // This is the derivative s_i (g_i − Σ_k s_k g_k) at g = R′ / s.
    [layer.expandedSoftmax(relevance)]
  }
}

extension Layer {
  /// `x_i (r_i − s_i Σ_k r_k)` for the node's operand x and values s.
  fileprivate func expandedSoftmax(_ relevance: Tensor) -> Tensor {
    guard let softmax = node.operation as? Softmax else { preconditionFailure("\(node.name) is not a softmax") }
    let (shape, x, s, r) = (outputShape, operand.view, relevantOutput.view, relevance.view)
    let axis = softmax.axis < 0 ? softmax.axis + shape.rank : softmax.axis
    // Elements that are normalized together are `inner` apart.
    let inner = softmax.joinsTrailingAxes ? 1 : shape.dimensions[(axis + 1)...].reduce(1, *)
    let classes = softmax.joinsTrailingAxes ? shape.dimensions[axis...].reduce(1, *) : shape[axis]
    let block = max(classes * inner, 1)
    let perItem = x.count / batch
    return self.relevance(like: operandShape) { result in
      workers.runSplit(r.count / block, grain: max(Self.grain / block, 1)) { blocks in
        for number in blocks {
          let start = number * block
          // A block is a part of an item, and each seed of the item has its own relevance.
          let own = start / perItem / seeds * perItem + start % perItem
          for column in 0..<inner {
            var sum = 0.0
            for k in stride(from: column, to: block, by: inner) { sum += Double(r[start + k]) }
            for k in stride(from: column, to: block, by: inner) {
              let change = Float(Double(r[start + k]) - Double(s[own + k]) * sum)
              result[start + k] = change == 0 ? 0 : x[own + k] * change
            }
          }
        }
      }
    }
  }
}
