import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// A function of each element.
struct ElementwiseKernel: RunwiseKernel {
  let count: Int
  private let computation: Computation

  private enum Computation: Sendable {
    case loop(rk_function)
    case call(@Sendable (_ x: Floats, _ y: MutableFloats, _ count: Int) -> Void)
  }

  init(count: Int, _ loop: rk_function) { (self.count, computation) = (count, .loop(loop)) }

  /// `apply` is `y ← f(x)` for some elements.
  init(count: Int, apply: @escaping @Sendable (_ x: Floats, _ y: MutableFloats, _ count: Int) -> Void) {
    (self.count, computation) = (count, .call(apply))
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(count) { part in
      let (x, y) = (shared.pointer.x + part.lowerBound, shared.pointer.y + part.lowerBound)
      switch computation {
      case .loop(let function): rk_apply(function, y, x, 1, nil, 0, part.count)
      case .call(let apply): apply(x, y, part.count)
      }
    }
  }

  var follower: rk_follower? {
    if case .loop(let function) = computation { rk_follower(function) } else { nil }
  }
}

extension ElementwiseFunction {
  func elementwiseKernel(at site: KernelSite) -> any Kernel {
    let count = site.output.shape.count
    let kernel =
      loop.map { ElementwiseKernel(count: count, $0) }
      ?? ElementwiseKernel(count: count) { x, y, count in apply(x, y, count: count) }
    return site.kernel(kernel) { type in
      ElementwiseKernel(count: count) { x, y, count in
        for i in 0..<count { y[i] = type.float(integer(type.held(x[i]), type)) }
      }
    }
  }
}
