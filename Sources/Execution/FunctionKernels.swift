import CKernels
import Networks
import Tensors

/// A function of each element.
struct UnaryKernel: Kernel {
  let function: UnaryFunction
  let count: Int
  var allowsInPlace: Bool { true }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(count) { part in
      let (x, y) = (shared.pointer.x + part.lowerBound, shared.pointer.y + part.lowerBound)
      switch function {
      case .clip(let lowest, let highest): rk_clip(y, x, lowest, highest, part.count)
      default: for i in 0..<part.count { y[i] = function(x[i]) }
      }
    }
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

/// Normalisation of each position over its trailing axes.
struct LayerNormalizationKernel: Kernel {
  let parameters: LayerNormalization
  let shape: Shape

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let size = max(parameters.scale.count, 1)
    let shared = Shared((x: operands[0], y: output))
    workers.run(shape.count / size) { row in
      let (x, y) = (shared.pointer.x + row * size, shared.pointer.y + row * size)
      let mean = rk_sum(x, size) / Double(size)
      var variance = 0.0
      for i in 0..<size { variance += (Double(x[i]) - mean) * (Double(x[i]) - mean) }
      let factor = Float(1 / (variance / Double(size) + Double(parameters.epsilon)).squareRoot())
      parameters.scale.withUnsafeElements { scale in
        for i in 0..<size { y[i] = (x[i] - Float(mean)) * factor * scale[i] }
      }
      parameters.shift?.withUnsafeElements { rk_add(y, y, $0.baseAddress!, size) }
    }
  }
}

/// Sum, product or extreme over whole axes. A sum is linear.
package struct ReductionKernel: LinearKernel, PoolingKernel {
  let reduction: Reduction
  let input: Shape
  let axes: Set<Int>

  package var pooled: PooledElements { .axes(axes, of: input) }
  private var kept: Shape { Shape(input.dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element }) }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let kept = kept
    let strides = zip(kept.dimensions, kept.strides).map { $0 == 1 ? 0 : $1 }
    var results = [Double?](repeating: nil, count: kept.count)
    BroadcastKernel.walk(input) { position, index in
      let to = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
      let value = Double(operands[0][position])
      results[to] = results[to].map { reduction.combine($0, value) } ?? value
    }
    for (i, result) in results.enumerated() { output[i] = Float(result ?? (reduction.function == .product ? 1 : 0)) }
  }

  /// For a sum: every element gets what its sum has.
  package func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    guard let c = results[0] else { return }
    let kept = kept
    let (items, outputs) = (max(input.itemCount, 1), max(kept.itemCount, 1))
    StridedWalk(over: input, broadcasting: kept).forEachElement { element, output, _ in
      for seed in 0..<seeds {
        c[(element / items * seeds + seed) * items + element % items] =
          upstream[(output / outputs * seeds + seed) * outputs + output % outputs]
      }
    }
  }
}
