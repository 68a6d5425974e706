import CKernels
import Networks

extension Relu: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    ElementwiseKernel(count: site.output.shape.count) { x, y, count in rk_relu(y, x, count) }
  }
}
