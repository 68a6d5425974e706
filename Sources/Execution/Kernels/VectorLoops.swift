import CKernels
import Networks
import Tensors

extension ElementwiseFunction {
  /// The function by loops in C, for those that networks spend time in.
  var loop: (@Sendable (_ x: Floats, _ y: MutableFloats, _ count: Int) -> Void)? {
    switch self {
    case is Exp: { rk_exp($1, $0, $2) }
    case is Log: { rk_log($1, $0, $2) }
    case is Sigmoid: { rk_sigmoid($1, $0, $2) }
    case is Tanh: { rk_tanh($1, $0, $2) }
    case is Softplus: { rk_softplus($1, $0, $2) }
    case is Mish: { rk_mish($1, $0, $2) }
    case is Erf: { rk_erf($1, $0, $2) }
    case let gelu as Gelu where gelu.isApproximate: { rk_gelu_by_tanh($1, $0, $2) }
    case is Gelu: { rk_gelu($1, $0, $2) }
    case let swish as Swish: { rk_swish($1, $0, swish.alpha, $2) }
    case is HardSwish: { rk_hard_swish($1, $0, $2) }
    case let sigmoid as HardSigmoid: { rk_hard_sigmoid($1, $0, sigmoid.alpha, sigmoid.beta, $2) }
    case let elu as Elu: { rk_elu($1, $0, 1, elu.alpha, 1, $2) }
    case let selu as Selu: { rk_elu($1, $0, selu.gamma, selu.gamma * selu.alpha, 1, $2) }
    case let leaky as LeakyRelu: { rk_leaky_relu($1, $0, leaky.alpha, $2) }
    default: nil
    }
  }

  /// `y ← f'(x)` for `count` elements.
  package var derivativeLoop: @Sendable (_ x: Floats, _ y: MutableFloats, _ count: Int) -> Void {
    switch self {
    case is Exp: { rk_exp($1, $0, $2) }
    case is Sigmoid: { rk_sigmoid_slope($1, $0, $2) }
    case is Softplus: { rk_sigmoid($1, $0, $2) }
    case is Tanh: { rk_tanh_slope($1, $0, $2) }
    case let gelu as Gelu where !gelu.isApproximate: { rk_gelu_slope($1, $0, $2) }
    case is HardSwish: { rk_hard_swish_slope($1, $0, $2) }
    case let swish as Swish: { rk_swish_slope($1, $0, swish.alpha, $2) }
    default: { x, y, count in for i in 0..<count { y[i] = derivative(at: x[i]) } }
    }
  }
}
