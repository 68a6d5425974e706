import CRelevanceKernels
import RelevanceNetworks

extension Subtract: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel { pairwiseKernel(at: site, loop: rk_function(RK_SUBTRACT)) }
}
