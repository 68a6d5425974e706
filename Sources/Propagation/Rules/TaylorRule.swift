import Foundation
import Networks
import Tensors

/// Taylor: relevance goes through a normalization in proportion to the terms of its first-order expansion.
///
/// - Use: LRN and layer normalization, where `PassRule` ignores that inputs compete.
/// - Definition: `R_i = Σ_j c_ij / (Σ_i' c_i'j + b_j + ε·sign) · R_j`.
///   LRN, `y_j = x_j (k + a Σ x²)^−β` over neighboring channels, a = α/size, expanded around the input without its neighbors:
///   `c_jj = x_j (k + a x_j²)^−β` and `c_ij = −2aβ x_j x_i² (k + a Σ x²)^(−β−1)`.
///   Layer normalization, with its standard deviation σ held: `c_ij = g_j (δ_ij − 1/n) x_i / σ`.
/// - Its parameters: `epsilon` ≥ 0; `bias`.
/// - Bias: absorbed by default.
/// - Conservation: exact but for the shares of the stabilizer and of the biases.
/// - Reference: *Binder16* for LRN; *Ali22* for layer normalization.
public struct TaylorRule: NamedRule {
  public static let name = "taylor"
  public static let parameters: [Parameter<Self>] = [.init("epsilon", \.epsilon, atLeast: 0), .init("bias", \.bias)]

  /// The stabilizer ε.
  public private(set) var epsilon: Float
  /// What happens to the shift of layer normalization: bypassed or absorbed.
  public private(set) var bias: Bias

  /// What happens to the shift of layer normalization.
  public enum Bias: String, Hashable, ParameterValue, CaseIterable {
    /// It is no part of denominators: inputs share out all relevance.
    case bypassed
    /// It is part of denominators and keeps its share.
    case absorbed
  }

  public init() { self.init(epsilon: 1e-6) }
  /// Makes the rule; `epsilon` must not be negative.
  public init(epsilon: Float = 1e-6, bias: Bias = .absorbed) {
    precondition(epsilon >= 0 && epsilon.isFinite, "epsilon is \(epsilon)")
    (self.epsilon, self.bias) = (epsilon, bias)
  }

  public func objection(at site: RuleSite) -> String? { site.objection(unless: [.lrn, .layerNormalization]) }
  public func conserves(at site: RuleSite) -> Bool { true }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    switch layer.node.operation {
    case let parameters as LocalResponseNormalization: [through(parameters, layer, relevance)]
    case let parameters as LayerNormalization: [through(parameters, layer, relevance)]
    default: preconditionFailure("\(layer.node.name) is not a normalization")
    }
  }

  /// `r / (z + ε·sign(z))`, and what of r that keeps back.
  private func divide(_ r: Float, by z: Float, _ kept: inout Losses) -> Float {
    guard z != 0 else {
      kept.zero += Double(r)
      return 0
    }
    let s = r / (z + (z > 0 ? epsilon : -epsilon))
    kept.stabilizer += Double(s * (z > 0 ? epsilon : -epsilon))
    return s
  }

  /// What items keep back, by cause.
  private typealias Losses = (zero: Double, stabilizer: Double, bias: Double)

  private func booked(_ layer: Layer, _ found: (relevance: Tensor, values: [Losses])) -> Tensor {
    layer.book(.zeroDenominator, found.values.map(\.zero))
    layer.book(.stabilizer, found.values.map(\.stabilizer))
    layer.book(.bias, found.values.map(\.bias))
    return found.relevance
  }

  private func through(_ norm: LocalResponseNormalization, _ layer: Layer, _ relevance: Tensor) -> Tensor {
    let shape = layer.operandShapes[0]
    let (channels, positions) = (shape[1], shape.dimensions[2...].reduce(1, *))
    let scale = norm.alpha / Float(norm.size)
    let (count, slice) = (shape.count / layer.batch, channels * positions)
    let found = layer.forEachItem(relevance) { _, r, x, result in
      var losses: Losses = (0, 0, 0)
      // Views that are folded into the first axis are normalized one by one.
      for start in stride(from: 0, to: count, by: max(slice, 1)) {
        let (r, x) = (r.run(from: start, count: slice), x.run(from: start, count: slice))
        let result = result.run(from: start, count: slice)
        for p in 0..<positions {
          for j in 0..<channels {
            let neighbors = norm.neighbors(of: j, channels: channels)
            let value = x[j * positions + p]
            let squares = neighbors.reduce(Float(0)) { $0 + x[$1 * positions + p] * x[$1 * positions + p] }
            let own = value * pow(norm.bias + scale * value * value, -norm.beta)
            let slope = -2 * scale * norm.beta * value * pow(norm.bias + scale * squares, -norm.beta - 1)
            let z = own + slope * (squares - value * value)
            let s = divide(r[j * positions + p], by: z, &losses)
            for i in neighbors {
              let x = x[i * positions + p]
              result[i * positions + p] += (i == j ? own : slope * x * x) * s
            }
          }
        }
      }
      return losses
    }
    return booked(layer, found)
  }

  private func through(_ norm: LayerNormalization, _ layer: Layer, _ relevance: Tensor) -> Tensor {
    let size = max(norm.scale.count, 1)
    let count = layer.operandShape.count / layer.batch
    let scales = norm.scale.elements
    let shifts = bias == .absorbed ? norm.shift?.elements : nil
    let found = layer.forEachItem(relevance) { _, r, x, result in
      var losses: Losses = (0, 0, 0)
      for start in stride(from: 0, to: count, by: size) {
        let row = start..<start + size
        let mean = row.reduce(0.0) { $0 + Double(x[$1]) } / Double(size)
        let variance = row.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / Double(size)
        let factor = Float(1 / (variance + Double(norm.epsilon)).squareRoot())
        // Σ_j g_j s_j, which every input gets its negative mean share of.
        var common: Float = 0
        for (j, at) in row.enumerated() {
          let z = scales[j] * factor * (x[at] - Float(mean))
          let s = divide(r[at], by: z + (shifts?[j] ?? 0), &losses)
          losses.bias += Double(s * (shifts?[j] ?? 0))
          result[at] = scales[j] * s
          common += scales[j] * s
        }
        for at in row { result[at] = x[at] * factor * (result[at] - common / Float(size)) }
      }
      return losses
    }
    return booked(layer, found)
  }
}
