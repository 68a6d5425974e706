import CRelevanceKernels
import RelevanceNetworks

extension Relu: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    ElementwiseKernel(count: site.output.shape.count, rk_function(RK_RELU))
  }
}
