import CKernels
import Networks
import Tensors

extension MaxPool: ComputedOperator {
  package func kernel(at site: KernelSite) throws -> any Kernel {
    try MaxPoolKernel(window, input: site.operands[0].shape)
  }
}

/// Maximum over a window.
package struct MaxPoolKernel: Kernel {
  private let window: rk_window
  private let input: Shape

  init(_ window: Window, input: Shape) throws {
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

  /// c ← r of each window at the element that won (the first of equals), or in equal shares at all that did.
  package func sendToWinners(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, r: UnsafePointer<Float>, seeds: Int, splitsTies: Bool,
    _ c: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    window.eachPlane(of: input, seeds: seeds, r, c, on: workers) { plane, window, r, c in
      rk_max_pool_winners(
        x + plane * window.pointee.inputs, y + plane * window.pointee.outputs, r, window, splitsTies ? 1 : 0, c)
    }
  }

  /// c ← x / Σ x · r over each window: shares in proportion to activation, which must not be negative.
  package func shareByActivation(
    x: UnsafePointer<Float>, r: UnsafePointer<Float>, seeds: Int, _ c: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    window.eachPlane(of: input, seeds: seeds, r, c, on: workers) { plane, window, r, c in
      rk_average_pool_proportional(x + plane * window.pointee.inputs, r, window, c)
    }
  }
}
