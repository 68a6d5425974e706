import CKernels
import Networks
import Tensors

extension LocalResponseNormalization: ComputedOperator {
  package func kernel(at site: KernelSite) -> any Kernel {
    LocalResponseNormalizationKernel(parameters: self, shape: site.output.shape)
  }
}

/// Local response normalization across channels.
struct LocalResponseNormalizationKernel: Kernel {
  let parameters: LocalResponseNormalization
  let shape: Shape

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let positions = shape.dimensions[2...].reduce(1, *)
    let item = shape[1] * positions
    let shared = Shared((x: operands[0], y: output))
    workers.run(shape[0]) { index in
      rk_lrn(
        shared.pointer.x + index * item, shape[1], positions, parameters.size, parameters.alpha, parameters.beta,
        parameters.bias, shared.pointer.y + index * item)
    }
  }
}
