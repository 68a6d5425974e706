import CKernels
import Networks

extension Clip: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    ElementwiseKernel(count: site.output.shape.count) { [lowest, highest] x, y, count in
      rk_clip(y, x, lowest, highest, count)
    }
  }
}
