import RelevanceNetworks
import RelevanceTensors

extension Reduction: ComputedOperator {
  func kernel(at site: KernelSite) throws -> any Kernel {
    let (input, axes) = (site.operands[0].shape, try axes(of: site.operands))
    let kernel: any Kernel =
      function == .mean
      ? try MeanKernel(self, at: site) : ReductionKernel(function: function, input: input, axes: axes)
    return site.kernel(kernel) { IntegerReductionKernel(function: function, type: $0, input: input, axes: axes) }
  }
}

/// The sum, product or extreme over whole axes. The sum is linear.
package struct ReductionKernel: LinearKernel, PoolingKernel {
  let function: Reduction.Function
  let input: TensorShape
  let axes: Set<Int>

  package var pooled: PooledElements { .axes(axes, of: input) }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let results = function.values(
      of: UnsafeBufferPointer(start: operands[0], count: input.count), input, over: axes)
    for (i, result) in results.enumerated() { output[i] = Float(result ?? (function == .product ? 1 : 0)) }
  }

  /// For a sum: every element receives the relevance of its sum.
  package func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    let kept = input.reduced(over: axes, keepsAxes: true)
    let (items, outputs) = (max(input.itemCount, 1), max(kept.itemCount, 1))
    StridedWalk(over: input, broadcasting: kept).forEachElement { element, output, _ in
      for seed in 0..<seeds {
        c[(element / items * seeds + seed) * items + element % items] =
          upstream[(output / outputs * seeds + seed) * outputs + output % outputs]
      }
    }
  }
}

/// The sum, product or mean of integers over whole axes, computed in double precision as in ONNX Runtime: rounded
/// toward zero and clamped to the limits of the type.
struct IntegerReductionKernel: Kernel {
  let function: Reduction.Function
  let type: IntegerType
  let input: TensorShape
  let axes: Set<Int>

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let results = function.values(
      of: UnsafeBufferPointer(start: operands[0], count: input.count), input, over: axes)
    let count = function == .mean ? Double(input.count / max(results.count, 1)) : 1
    for (i, result) in results.enumerated() {
      output[i] = type.float(type.held((result ?? function.neutralElement) / count))
    }
  }
}
