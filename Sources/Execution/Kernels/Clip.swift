import CRelevanceKernels
import RelevanceNetworks

extension Clip: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    ElementwiseKernel(count: site.output.shape.count, rk_function(RK_CLIP, lowest, highest))
  }
}
