import Networks
import Tensors

extension Reduction: ComputedOperator {
  package func kernel(at site: KernelSite) throws -> any Kernel {
    let kernel = ReductionKernel(reduction: self, input: site.operands[0].shape, axes: try axes(of: site.operands))
    guard site.isStepwise, let type = site.output.kind.integerType else { return kernel }
    return StepwiseKernel(
      IntegerReductionKernel(reduction: self, type: type, isMean: false, input: kernel.input, axes: kernel.axes),
      withoutSteps: kernel)
  }
}

/// Sum, product or extreme over whole axes. A sum is linear.
package struct ReductionKernel: LinearKernel, PoolingKernel {
  let reduction: Reduction
  let input: TensorShape
  let axes: Set<Int>

  package var pooled: PooledElements { .axes(axes, of: input) }
  private var kept: TensorShape { input.reduced(over: axes, keepsAxes: true) }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let kept = kept
    var results = [Double?](repeating: nil, count: kept.count)
    StridedWalk(over: input, broadcasting: kept).forEachElement { position, to, _ in
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
