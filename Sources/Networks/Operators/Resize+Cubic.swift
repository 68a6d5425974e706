import Tensors

extension Resize {
  /// How cubic interpolation weighs four neighbors.
  package struct Cubic: Hashable, Sendable {
    /// The slope of the curve one place from its middle: ONNX's `cubic_coeff_a`.
    package let coefficient: Float
    /// Whether neighbors outside have no weight, instead of being those at the edge.
    package let excludesOutside: Bool

    package init(coefficient: Float, excludesOutside: Bool) {
      (self.coefficient, self.excludesOutside) = (coefficient, excludesOutside)
    }

    /// The weights of the neighbors one before, at, and one and two after the whole part of a position.
    fileprivate func weights(at share: Float) -> [Float] {
      let a = coefficient
      func near(_ d: Float) -> Float { ((a + 2) * d - (a + 3)) * d * d + 1 }
      func far(_ d: Float) -> Float { ((a * d - 5 * a) * d + 8 * a) * d - 4 * a }
      return [far(share + 1), near(share), near(1 - share), far(2 - share)]
    }
  }

  /// For each axis, and each output index along it, the four input indices that it mixes, and their weights; nil for an axis that stays what
  /// it is.
  package func cubicWeights(of operands: [Inferred]) throws -> [[(index: Int, weight: Float)]?] {
    let x = try firstShape(operands)
    let (extents, scales) = try extents(of: x, operands)
    let output = try TensorShape(checking: extents)
    guard output.count == 0 || x.count > 0 else { throw Misfit("an empty tensor cannot be resized") }
    let cubic = cubic ?? Cubic(coefficient: -0.75, excludesOutside: false)
    return (0..<x.rank).map { axis in
      let (from, to, scale) = (x[axis], extents[axis], scales[axis])
      if output == x || from == to && scale == 1 { return nil }
      return (0..<to).flatMap { index in
        let position = position(of: Float(index), scale: scale, from: Float(from), to: Float(to))
        let whole = position.rounded(.down)
        var weights = cubic.weights(at: position - whole)
        let first = Int(max(min(whole, Float(from) + 4), -8)) - 1
        if cubic.excludesOutside {
          for i in 0..<4 where !(0..<from).contains(first + i) { weights[i] = 0 }
          let sum = weights.reduce(0, +)
          if sum != 0 { weights = weights.map { $0 / sum } }
        }
        return (0..<4).map { (min(max(first + $0, 0), from - 1), weights[$0]) }
      }
    }
  }
}
