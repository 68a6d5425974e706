import RelevanceNetworks
import RelevanceTensors

extension ParametricRelu: DirectlyComputed { typealias Computed = ParametricReluKernel }

/// `x` where it is positive, otherwise `slope · x`.
struct ParametricReluKernel: OperatorKernel, DifferentiableKernel {
  private let slopes: Tensor
  private let shape: TensorShape

  init(_ operation: ParametricRelu, at site: KernelSite) {
    let slope = operation.slope
    shape = site.output.shape
    // One slope per element of an item, because slopes can differ within a channel.
    let item = shape.rank == slope.shape.rank && slope.shape[0] != 1 ? shape : shape.withBatch(1)
    slopes = slope.expanded(to: item)
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    let period = slopes.count
    workers.runSplit(shape.count) { part in
      let (x, y) = shared.pointer
      slopes.withUnsafeElements { slope in
        for i in part { y[i] = x[i] > 0 ? x[i] : slope[i % period] * x[i] }
      }
    }
  }

  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    let slopes = slopes.elements
    let shared = Shared((s: s, c: c))
    workers.run(point.items * point.seeds) { item in
      let (s, c) = shared.pointer
      for i in 0..<point.count {
        let (at, own) = (item * point.count + i, item / point.seeds * point.count + i)
        c[at] = s[at] * (point.x[own] > 0 ? 1 : slopes[own % slopes.count])
      }
    }
  }
}
