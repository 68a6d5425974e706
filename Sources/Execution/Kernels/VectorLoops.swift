import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension ElementwiseFunction {
  /// The function as a loop in C, if it takes a significant share of the run time of networks.
  var loop: rk_function? {
    switch self {
    case is Exp: rk_function(RK_EXP)
    case is Log: rk_function(RK_LOG)
    case is Sigmoid: rk_function(RK_SIGMOID)
    case is Tanh: rk_function(RK_TANH)
    case is Softplus: rk_function(RK_SOFTPLUS)
    case is Mish: rk_function(RK_MISH)
    case is Erf: rk_function(RK_ERF)
    case let gelu as Gelu: rk_function(gelu.isApproximate ? RK_GELU_BY_TANH : RK_GELU)
    case let swish as Swish: rk_function(RK_SWISH, swish.alpha)
    case is HardSwish: rk_function(RK_HARD_SWISH)
    case let sigmoid as HardSigmoid: rk_function(RK_HARD_SIGMOID, sigmoid.alpha, sigmoid.beta)
    case let elu as Elu: rk_function(RK_ELU, 1, elu.alpha, 1)
    case let selu as Selu: rk_function(RK_ELU, selu.gamma, selu.gamma * selu.alpha, 1)
    case let leaky as LeakyRelu: rk_function(RK_LEAKY_RELU, leaky.alpha)
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
