import CKernels
import Networks
import Tensors

extension MaxPool: ComputedOperator {
  package func kernel(at site: KernelSite) throws -> any Kernel {
    try MaxPoolKernel(window, input: site.operands[0].shape)
  }
}

/// Maximum over a window.
package struct MaxPoolKernel: PoolingKernel {
  private let window: rk_window
  private let input: TensorShape
  package var pooled: PooledElements { .windows(window, over: input) }

  init(_ window: Window, input: TensorShape) throws {
    self.window = try rk_window(window, over: input)
    self.input = input
  }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let shared = Shared((x: operands[0], y: output))
    workers.run(input[0] * input[1]) { plane in
      withUnsafePointer(to: window) {
        rk_max_pool(shared.pointer.x + plane * $0.pointee.inputs, $0, shared.pointer.y + plane * $0.pointee.outputs)
      }
    }
  }
}
