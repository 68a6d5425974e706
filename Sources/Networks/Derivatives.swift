import Foundation

extension UnaryFunction {
  /// The derivative at `x`; 0 at a step, and at a kink that of the right-hand side for `abs`, of the flat side elsewhere.
  public func derivative(at x: Float) -> Float {
    switch self {
    case .abs: x > 0 ? 1 : x < 0 ? -1 : 0
    case .ceil, .floor, .round: 0
    case .clip(let lowest, let highest): x > lowest && x < highest ? 1 : 0
    case .elu(let alpha): x > 0 ? 1 : alpha * Foundation.exp(x)
    case .erf: 2 / Float.pi.squareRoot() * Foundation.exp(-x * x)
    case .exp: Foundation.exp(x)
    case .gelu(false):
      0.5 * (1 + Foundation.erf(x * Float(0.5).squareRoot()))
        + x * Foundation.exp(-0.5 * x * x) / (2 * Float.pi).squareRoot()
    case .gelu(true): Self.approximateGeluDerivative(x)
    case .hardSigmoid(let alpha, let beta): alpha * x + beta > 0 && alpha * x + beta < 1 ? alpha : 0
    case .hardSwish: x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5
    case .leakyRelu(let alpha): x > 0 ? 1 : alpha
    case .log: 1 / x
    case .mish: Self.mishDerivative(x)
    case .negate: -1
    case .reciprocal: -1 / (x * x)
    case .sigmoid: self(x) * (1 - self(x))
    case .softplus: 1 / (1 + Foundation.exp(-x))
    case .sqrt: 0.5 / x.squareRoot()
    case .tanh: 1 - self(x) * self(x)
    }
  }

  private static func approximateGeluDerivative(_ x: Float) -> Float {
    let scale = (2 / Float.pi).squareRoot()
    let t = Foundation.tanh(scale * (x + 0.044715 * x * x * x))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * scale * (1 + 3 * 0.044715 * x * x)
  }

  private static func mishDerivative(_ x: Float) -> Float {
    let softplus = Self.softplus
    let t = Foundation.tanh(softplus(x))
    return t + x * (1 - t * t) * softplus.derivative(at: x)
  }
}

extension BinaryFunction {
  /// The derivatives by both operands at `(a, b)`; of equal operands' minimum or maximum, the first one's is 1.
  public func derivatives(at a: Float, _ b: Float) -> (a: Float, b: Float) {
    switch self {
    case .subtract: (1, -1)
    case .divide: (1 / b, -a / (b * b))
    case .power: (b == 0 ? 0 : b * self(a, b - 1), a > 0 ? self(a, b) * Foundation.log(a) : 0)
    case .minimum: a <= b ? (1, 0) : (0, 1)
    case .maximum: a >= b ? (1, 0) : (0, 1)
    }
  }
}
