import CRelevanceKernels
import RelevanceNetworks

extension Multiply: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel { pairwiseKernel(at: site, loop: rk_function(RK_MULTIPLY)) }
}
