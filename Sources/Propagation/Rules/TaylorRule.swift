import RelevanceExecution
import Foundation
import RelevanceNetworks
import RelevanceTensors

/// Taylor: relevance is distributed through a normalization in proportion to the terms of its first-order expansion.
///
/// - Use: LRN, and layer, group and instance normalization, where `PassRule` ignores that inputs compete.
/// - Definition: `R_i = Σ_j c_ij / (Σ_i' c_i'j + b_j + ε·sign) · R_j`.
///   LRN, `y_j = x_j (k + a Σ x²)^−β` over neighboring channels, a = α/size, expanded around the input without its
///   neighbors: `c_jj = x_j (k + a x_j²)^−β` and `c_ij = −2aβ x_j x_i² (k + a Σ x²)^(−β−1)`.
///   Other normalizations, with the standard deviation σ treated as a constant: `c_ij = g_j (δ_ij − 1/n) x_i / σ`.
/// - Its parameters: `epsilon` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact except for the shares of the stabilizer and of biases.
/// - Reference: *Binder16* for LRN; *Ali22* for the others.
public struct TaylorRule: NamedRule {
  public static let name = "taylor"
  public static let parameters: [Parameter<Self>] = [.init("epsilon", \.epsilon, atLeast: 0), .init("bias", \.bias)]

  /// The stabilizer ε.
  public private(set) var epsilon: Float
  /// The treatment of the shift of the normalization.
  public private(set) var bias: Bias

  /// The treatment of the shift of the normalization.
  public enum Bias: String, Hashable, ParameterValue, CaseIterable {
    /// Denominators exclude it: the inputs receive all relevance.
    case bypassed
    /// Denominators include it, and its share is absorbed.
    case absorbed
  }

  public init() { self.init(epsilon: 1e-6) }
  /// Creates the rule. A table with the rule can be resolved only if `epsilon` is not negative.
  public init(epsilon: Float = 1e-6, bias: Bias = .absorbed) {
    (self.epsilon, self.bias) = (epsilon, bias)
  }

  public func objection(at site: RuleSite) -> String? {
    site.objection(unless: [.lrn, .layerNormalization, .instanceNormalization, .groupNormalization])
  }
  public func conserves(at site: RuleSite) -> Bool { true }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let expansion = layer.expansion
    let z = layer.value(by: expansion)
    let hasBias = bias == .absorbed && layer.site.kind != .lrn
    let denominator = hasBias ? layer.relevantOutput : z
    var s = relevance
    if layer.isBooking { layer.bookDivision(of: s, by: denominator, .signed(epsilon)) }
    layer.update(&s, with: denominator) { $0.divide(by: $1, .signed(epsilon)) }
    if layer.isBooking, hasBias {
      layer.book(.bias, layer.sums(of: layer.product(s, denominator.combined(with: z, -))))
    }
    return [layer.scaled(layer.derivative(of: expansion, s), by: layer.operand)]
  }
}

extension Layer {
  /// The normalization as rule `taylor` uses it: a map whose derivatives, times the input, are the terms of its values.
  fileprivate var expansion: any DifferentiableKernel {
    if let kernel = kernel as? LocalResponseNormalizationKernel { return ExpandedLRN(kernel: kernel) }
    return normalization.withHeldDeviation
  }
}

/// LRN expanded around the input without the neighbors of a channel.
private struct ExpandedLRN: DifferentiableKernel {
  let kernel: LocalResponseNormalizationKernel

  /// `x_j (k + a x_j²)^−β / x_j`
  private func own(_ x: Float) -> Float {
    pow(kernel.parameters.bias + kernel.parameters.share * x * x, -kernel.parameters.beta)
  }
  /// `−2aβ x_j D_j^(−β−1)`
  private func slope(_ x: Float, _ divisor: Float) -> Float {
    -2 * kernel.parameters.share * kernel.parameters.beta * x * pow(divisor, -kernel.parameters.beta - 1)
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let x = operands[0]
    kernel.forEachElement(of: x, count: kernel.shape.count) { j, neighbors, divisor in
      let others = neighbors.reduce(Float(0)) { $1 == j ? $0 : $0 + x[$1] * x[$1] }
      output[j] = own(x[j]) * x[j] + slope(x[j], divisor) * others
    }
  }

  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    point.forEachItem(s, c, on: workers) { s, x, _, c in
      c.update(repeating: 0, count: point.count)
      kernel.forEachElement(of: x, count: point.count) { j, neighbors, divisor in
        let slope = slope(x[j], divisor) * s[j]
        for i in neighbors { c[i] += i == j ? own(x[j]) * s[j] : slope * x[i] }
      }
    }
  }
}
