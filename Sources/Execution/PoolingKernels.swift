import CKernels
import Networks
import Tensors

/// Maximum over a window.
package struct MaxPoolKernel: PoolingKernel {
  private let window: rk_window
  private let input: Shape
  package var pooled: PooledElements { .windows(window, over: input) }

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
}

/// Mean over a window.
package struct AveragePoolKernel: LinearKernel, PoolingKernel {
  private let window: rk_window
  private let countsPadding: Bool
  private let after: (y: Int, x: Int)
  private let input: Shape
  package var pooled: PooledElements { .windows(window, over: input) }

  init(_ pool: AveragePool, input: Shape) throws {
    window = try rk_window(pool.window, over: input)
    countsPadding = pool.countsPadding
    self.input = input
    if case .explicit(_, let after) = pool.window.padding {
      self.after = after.count == 2 ? (after[0], after[1]) : (0, after[0])
    } else {
      // Automatic padding makes every window reach exactly to the end.
      let w = window
      after = (
        max(0, (w.out_height - 1) * w.stride_y + (w.kernel_y - 1) * w.dilation_y + 1 - w.height - w.pad_y),
        max(0, (w.out_width - 1) * w.stride_x + (w.kernel_x - 1) * w.dilation_x + 1 - w.width - w.pad_x)
      )
    }
  }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let shared = Shared((x: operands[0], y: output))
    workers.run(input[0] * input[1]) { plane in
      withUnsafePointer(to: window) {
        rk_average_pool(
          shared.pointer.x + plane * $0.pointee.inputs, $0, after.y, after.x, countsPadding ? 1 : 0,
          shared.pointer.y + plane * $0.pointee.outputs)
      }
    }
  }

  package func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    guard let c = results[0] else { return }
    window.eachPlane(of: input, seeds: seeds, upstream, c, on: workers) { _, window, s, c in
      rk_average_pool_adjoint(s, window, after.y, after.x, countsPadding ? 1 : 0, c)
    }
  }

  /// The mean of those elements under a window that are there: padding is none.
  package init(over window: rk_window, input: Shape) {
    (self.window, self.input) = (window, input)
    (countsPadding, after) = (false, (0, 0))
  }
}

extension rk_window {
  /// Elements of a plane of the input, and of the output.
  package var inputs: Int { Int(height * width) }
  package var outputs: Int { Int(out_height * out_width) }

  /// Calls `body` for each seed of each plane of the input, numbered as there, with its part of `r` and of `c`.
  package func eachPlane(
    of input: Shape, seeds: Int, _ r: UnsafePointer<Float>, _ c: UnsafeMutablePointer<Float>, on workers: Workers,
    _ body: (Int, UnsafePointer<rk_window>, UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) {
    withoutActuallyEscaping(body) { body in
      let shared = Shared((r: r, c: c, body: body))
      let channels = input[1]
      // Seed by seed while the plane is in cache.
      workers.run(input[0] * channels) { plane in
        withUnsafePointer(to: self) {
          for seed in 0..<seeds {
            let index = (plane / channels * seeds + seed) * channels + plane % channels
            shared.pointer.body(plane, $0, shared.pointer.r + index * outputs, shared.pointer.c + index * inputs)
          }
        }
      }
    }
  }
}
