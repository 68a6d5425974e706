import CRelevanceKernels
import RelevanceNetworks

extension Divide: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel { pairwiseKernel(at: site, loop: rk_function(RK_DIVIDE)) }
}
