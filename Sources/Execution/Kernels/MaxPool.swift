import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension MaxPool: DirectlyComputed { typealias Computed = MaxPoolKernel }

/// The maximum over a window.
package struct MaxPoolKernel: OperatorKernel, PoolingKernel {
  private let window: rk_window
  private let input: TensorShape
  package var pooled: PooledElements { .windows(window, over: input) }

  init(_ pool: MaxPool, at site: KernelSite) throws {
    input = site.operands[0].shape
    window = try rk_window(pool.window, over: input)
  }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.run(input[0] * input[1]) { plane in
      withUnsafePointer(to: window) {
        rk_max_pool(shared.pointer.x + plane * $0.pointee.inputs, $0, shared.pointer.y + plane * $0.pointee.outputs)
      }
    }
  }
}
