import CRelevanceKernels
import RelevanceNetworks
import RelevanceTensors

/// A function of pairs of elements of two tensors that broadcast to the output's shape.
package struct BroadcastKernel: RunwiseKernel {
  /// `y ← f(a, b)` for a run of elements; an operand that does not move is a single number.
  typealias Run =
    @Sendable (_ a: Floats, _ aMoves: Bool, _ b: Floats, _ bMoves: Bool, _ y: MutableFloats, _ count: Int) -> Void
  private let apply: Run
  private let loop: rk_function?
  private let walk: StridedWalk
  let count: Int
  private let repeats: (Bool, Bool)

  init(operands: [TensorShape], output: TensorShape, loop: rk_function) {
    self.init(
      operands, output, loop,
      apply: { a, aMoves, b, bMoves, y, count in rk_apply(loop, y, a, aMoves ? 1 : 0, b, bMoves ? 1 : 0, count) })
  }

  init(operands: [TensorShape], output: TensorShape, apply: @escaping Run) {
    self.init(operands, output, nil, apply: apply)
  }

  private init(_ operands: [TensorShape], _ output: TensorShape, _ loop: rk_function?, apply: @escaping Run) {
    (self.apply, self.loop, count) = (apply, loop, output.count)
    walk = StridedWalk(over: output, broadcasting: operands[0], operands[1])
    // An operand that broadcasts to the same number of elements has them in the same order.
    repeats = (operands[0].count != output.count, operands[1].count != output.count)
  }

  package func forward(_ operands: [Floats], _ result: MutableFloats, on workers: Workers) {
    let shared = Shared((a: operands[0], b: operands[1], y: result))
    let (aMoves, bMoves) = (walk.steps.a != 0, walk.steps.b != 0)
    // Long runs are divided, short runs are combined.
    let grain = 1 << 15
    if walk.runCount == 1 {
      workers.runSplit(walk.runLength, grain: grain) { part in
        let (a, b, y) = shared.pointer
        apply(
          a + part.lowerBound * walk.steps.a, aMoves, b + part.lowerBound * walk.steps.b, bMoves, y + part.lowerBound,
          part.count)
      }
    } else {
      workers.runSplit(walk.runCount, grain: max(grain / max(walk.runLength, 1), 1)) { part in
        let (x, z, y) = shared.pointer
        walk.forEachRun(in: part) { start, a, b in apply(x + a, aMoves, z + b, bMoves, y + start, walk.runLength) }
      }
    }
  }

  var follower: rk_follower? {
    guard let loop, let walk = rk_walk(walk) else { return nil }
    var follower = rk_follower(loop, repeats: repeats)
    follower.walk = walk
    return follower
  }
}

extension PairwiseFunction {
  /// The kernel of the function; it uses `loop`, or the function itself element by element.
  func pairwiseKernel(at site: KernelSite, loop: rk_function? = nil) -> any Kernel {
    let (operands, output) = (site.operands.map(\.shape), site.output.shape)
    let kernel =
      loop.map { BroadcastKernel(operands: operands, output: output, loop: $0) }
      ?? BroadcastKernel(operands: operands, output: output) { a, aMoves, b, bMoves, y, count in
        apply(a, aMoves, b, bMoves, y, count: count)
      }
    return site.kernel(kernel) { type in
      BroadcastKernel(operands: operands, output: output) { a, aMoves, b, bMoves, y, count in
        for i in 0..<count { y[i] = integer(a[aMoves ? i : 0], b[bMoves ? i : 0], type) }
      }
    }
  }
}
