import CKernels
import Networks

extension Relu: ComputedOperator {
  package func kernel(at site: KernelSite) -> any Kernel { ReluKernel(count: site.output.shape.count) }
}

/// `max(0, x)`.
struct ReluKernel: Kernel {
  let count: Int
  var allowsInPlace: Bool { true }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(count) { rk_relu(shared.pointer.y + $0.lowerBound, shared.pointer.x + $0.lowerBound, $0.count) }
  }
}
