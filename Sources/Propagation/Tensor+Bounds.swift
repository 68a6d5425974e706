import CKernels
import Tensors

extension Tensor {
  /// `x − b`, where `b` broadcasts to x.
  func subtractingBroadcast(_ b: Tensor) -> Tensor {
    Tensor(uninitialized: shape) { result in
      withUnsafeElements { x in
        b.withUnsafeElements { bound in
          b.forEachRun(broadcastTo: shape) { start, own, moves, count in
            if moves {
              for i in 0..<count { result[start + i] = x[start + i] - bound[own + i] }
            } else {
              rk_subtract_scalar(result.baseAddress! + start, x.baseAddress! + start, bound[own], count)
            }
          }
        }
      }
    }
  }
}
