import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

extension AveragePool: DirectlyComputed { typealias Computed = AveragePoolKernel }

/// The mean over a window.
package struct AveragePoolKernel: OperatorKernel, LinearKernel, PoolingKernel {
  private let window: rk_window
  private let countsPadding: Bool
  private let after: (y: Int, x: Int)
  private let input: TensorShape
  package var pooled: PooledElements { .windows(window, over: input) }

  init(_ pool: AveragePool, at site: KernelSite) throws {
    input = site.operands[0].shape
    window = try rk_window(pool.window, over: input)
    countsPadding = pool.countsPadding
    if case .explicit(_, let after) = pool.window.padding {
      self.after = after.count == 2 ? (after[0], after[1]) : (0, after[0])
    } else {
      // With automatic padding, the last window ends exactly at the end.
      let w = window
      after = (
        max(0, (w.out_height - 1) * w.stride_y + (w.kernel_y - 1) * w.dilation_y + 1 - w.height - w.pad_y),
        max(0, (w.out_width - 1) * w.stride_x + (w.kernel_x - 1) * w.dilation_x + 1 - w.width - w.pad_x)
      )
    }
  }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.run(input[0] * input[1]) { plane in
      withUnsafePointer(to: window) {
        rk_average_pool(
          shared.pointer.x + plane * $0.pointee.inputs, $0, after.y, after.x, countsPadding ? 1 : 0,
          shared.pointer.y + plane * $0.pointee.outputs)
      }
    }
  }

  package func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    window.eachPlane(of: input, seeds: seeds, upstream, c, on: workers) { _, window, s, c in
      rk_average_pool_adjoint(s, window, after.y, after.x, countsPadding ? 1 : 0, c)
    }
  }

  /// The mean of the elements under a window without padding.
  package init(over window: rk_window, input: TensorShape) {
    (self.window, self.input) = (window, input)
    (countsPadding, after) = (false, (0, 0))
  }
}
