import Networks
import Tensors

/// A function of each element.
struct ElementwiseKernel: Kernel {
  let count: Int
  /// `y ← f(x)` for some elements.
  let apply: @Sendable (_ x: Floats, _ y: MutableFloats, _ count: Int) -> Void

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(count) { part in
      let (x, y) = shared.pointer
      apply(x + part.lowerBound, y + part.lowerBound, part.count)
    }
  }
}

extension ElementwiseFunction {
  func elementwiseKernel(at site: KernelSite) -> any Kernel {
    let count = site.output.shape.count
    let kernel = ElementwiseKernel(count: count, apply: loop ?? { x, y, count in apply(x, y, count: count) })
    return site.kernel(kernel) { type in
      ElementwiseKernel(count: count) { x, y, count in
        for i in 0..<count { y[i] = type.float(integer(type.held(x[i]), type)) }
      }
    }
  }
}
