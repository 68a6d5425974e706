import CKernels
import Networks

extension Divide: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    pairwiseKernel(at: site) { a, aMoves, b, bMoves, y, count in
      switch (aMoves, bMoves) {
      case (true, true): rk_divide(y, a, b, count)
      case (true, false): rk_divide_by(y, a, b[0], count)
      case (false, _): for i in 0..<count { y[i] = a[0] / b[bMoves ? i : 0] }
      }
    }
  }
}
