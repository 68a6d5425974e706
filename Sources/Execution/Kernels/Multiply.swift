import CKernels
import Networks

extension Multiply: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    pairwiseKernel(at: site) { a, aMoves, b, bMoves, y, count in
      switch (aMoves, bMoves) {
      case (true, true): rk_multiply(y, a, b, count)
      case (true, false): rk_scale(y, a, b[0], count)
      case (false, true): rk_scale(y, b, a[0], count)
      case (false, false): y.update(repeating: a[0] * b[0], count: count)
      }
    }
  }
}
