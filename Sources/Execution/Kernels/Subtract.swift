import CKernels
import Networks

extension Subtract: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    pairwiseKernel(at: site) { a, aMoves, b, bMoves, y, count in
      switch (aMoves, bMoves) {
      case (true, true): rk_subtract(y, a, b, count)
      case (true, false): rk_affine(y, a, 1, -b[0], count)
      case (false, true): rk_affine(y, b, -1, a[0], count)
      case (false, false): y.update(repeating: a[0] - b[0], count: count)
      }
    }
  }
}
