import Networks
import Tensors

extension ParametricRelu: ComputedOperator {
  package func kernel(at site: KernelSite) -> any Kernel {
    ParametricReluKernel(slope: slope, shape: site.output.shape)
  }
}

/// `x` where it is positive, else `slope · x`.
struct ParametricReluKernel: Kernel {
  private let slopes: Tensor
  private let shape: Shape

  init(slope: Tensor, shape: Shape) {
    self.shape = shape
    // One slope per element of an item; slopes rarely differ within a channel, but may.
    let item = shape.rank == slope.shape.rank && slope.shape[0] != 1 ? shape : shape.withBatch(1)
    let strides = BroadcastKernel.strides(slope.shape, in: item)
    slopes = Tensor(uninitialized: item) { result in
      slope.withUnsafeElements { source in
        BroadcastKernel.walk(item) { position, index in
          result[position] = source[zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }]
        }
      }
    }
  }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    let period = slopes.count
    workers.runSplit(shape.count) { part in
      let (x, y) = shared.pointer
      slopes.withUnsafeElements { slope in
        for i in part { y[i] = x[i] > 0 ? x[i] : slope[i % period] * x[i] }
      }
    }
  }
}
