import Foundation
import Networks
import Tensors

extension Layer {
  /// Relevance times the derivatives of a function of two operands, summed where an operand was repeated.
  func partials(_ relevance: Tensor, _ derivatives: (Float, Float) -> (a: Float, b: Float)) -> [Tensor?] {
    let shape = outputShape
    let (a, b) = (operands[0].expanded(to: shape), operands[1].expanded(to: shape))
    let factors = [a.combined(with: b) { derivatives($0, $1).a }, a.combined(with: b) { derivatives($0, $1).b }]
    return operandShapes.indices.map { index in
      site.operandIsLive[index]
        ? summed(scaled(relevance, by: factors[index]), to: operandShapes[index]) : nil
    }
  }

  /// `∂y_j/∂x_i = δ_ij D_j^−β − 2aβ x_j x_i D_j^(−β−1)` with `D_j = k + a Σ x²` over neighbouring channels, a = α/size.
  func gradient(of norm: LocalResponseNormalization, _ relevance: Tensor) -> Tensor {
    let shape = operandShapes[0]
    let (channels, positions) = (shape[1], shape.dimensions[2...].reduce(1, *))
    let scale = norm.alpha / Float(norm.size)
    let before = (norm.size - 1) / 2
    let (count, slice) = (shape.count / batch, channels * positions)
    return forEachItem(relevance) { _, r, x, result in
      // Views that are folded into the first axis are normalized one by one.
      for start in stride(from: 0, to: count, by: max(slice, 1)) {
        let (r, x) = (r.run(from: start, count: slice), x.run(from: start, count: slice))
        let result = result.run(from: start, count: slice)
        for p in 0..<positions {
          for j in 0..<channels {
            let neighbours = max(j - before, 0)...min(j + norm.size - 1 - before, channels - 1)
            let squares = neighbours.reduce(Float(0)) { $0 + x[$1 * positions + p] * x[$1 * positions + p] }
            let divisor = norm.bias + scale * squares
            let s = r[j * positions + p]
            result[j * positions + p] += s * pow(divisor, -norm.beta)
            let slope = -2 * scale * norm.beta * x[j * positions + p] * pow(divisor, -norm.beta - 1) * s
            for i in neighbours { result[i * positions + p] += slope * x[i * positions + p] }
          }
        }
      }
    }.relevance
  }

  /// `∂y_j/∂x_i = g_j/σ (δ_ij − 1/n − x̂_i x̂_j / n)` with `x̂ = (x − mean)/σ`.
  func gradient(of norm: LayerNormalization, _ relevance: Tensor) -> Tensor {
    let size = max(norm.scale.count, 1)
    let count = operandShape.count / batch
    let scales = norm.scale.elements
    return forEachItem(relevance) { _, r, x, result in
      for start in stride(from: 0, to: count, by: size) {
        let row = start..<start + size
        let mean = row.reduce(0.0) { $0 + Double(x[$1]) } / Double(size)
        let variance = row.reduce(0.0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / Double(size)
        let factor = 1 / (variance + Double(norm.epsilon)).squareRoot()
        var (sum, projection) = (0.0, 0.0)
        for (j, at) in row.enumerated() {
          let s = Double(scales[j] * r[at])
          sum += s
          projection += s * (Double(x[at]) - mean) * factor
        }
        for (j, at) in row.enumerated() {
          let normalised = (Double(x[at]) - mean) * factor
          let own = Double(scales[j] * r[at]) - (sum + normalised * projection) / Double(size)
          result[at] = Float(factor * own)
        }
      }
    }.relevance
  }

  /// Softmax: `y_i (r_i − Σ_j y_j r_j)`; its logarithm: `r_i − softmax_i Σ_j r_j`.
  func gradient(of softmax: Softmax, isLogarithm: Bool, _ relevance: Tensor) -> Tensor {
    let shape = operandShapes[0]
    let axis = softmax.axis < 0 ? softmax.axis + shape.rank : softmax.axis
    let classes = softmax.joinsTrailingAxes ? shape.dimensions[axis...].reduce(1, *) : shape[axis]
    let inner = softmax.joinsTrailingAxes ? 1 : shape.dimensions[(axis + 1)...].reduce(1, *)
    let count = shape.count / batch
    let values = output.view
    let seeds = seeds
    return forEachItem(relevance) { item, r, _, result in
      let y = values.run(from: item / seeds * count, count: count)
      for start in stride(from: 0, to: count, by: classes * inner) {
        for i in 0..<inner {
          let row = (0..<classes).map { start + $0 * inner + i }
          if isLogarithm {
            let sum = row.reduce(Float(0)) { $0 + r[$1] }
            for at in row { result[at] = r[at] - exp(y[at]) * sum }
          } else {
            let sum = row.reduce(Float(0)) { $0 + y[$1] * r[$1] }
            for at in row { result[at] = y[at] * (r[at] - sum) }
          }
        }
      }
    }.relevance
  }
}
