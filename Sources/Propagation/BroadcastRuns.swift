import CKernels
import Tensors

extension Tensor {
  /// Calls `body` with runs of elements of a tensor of the given shape, along which this one, broadcast to that shape as NumPy
  /// does it, either moves on or stays where it is; traps if it does not broadcast.
  ///
  /// - Parameters:
  ///   - body: is told where a run starts, where this tensor is then, whether it moves on, and how many elements the run has.
  package func forEachRun(
    broadcastTo target: Shape, _ body: (_ start: Int, _ own: Int, _ moves: Bool, _ count: Int) -> Void
  ) {
    precondition(shape.broadcast(with: target) == target, "\(shape) does not broadcast to \(target)")
    guard target.count > 0 else { return }
    let own = [Int](repeating: 1, count: target.rank - shape.rank) + shape.dimensions
    // Trailing axes of one kind are one run.
    var (run, outer, moves) = (1, target.rank, false)
    while outer > 0 {
      let (extent, here) = (target[outer - 1], own[outer - 1] > 1)
      if extent > 1 {
        if run > 1, here != moves { break }
        moves = here
      }
      run *= extent
      outer -= 1
    }
    // Of the axes before, where this tensor is at each combination of indices.
    let strides = Shape(own).strides
    var positions = [0]
    for axis in 0..<outer {
      let stride = own[axis] > 1 ? strides[axis] : 0
      positions = positions.flatMap { position in (0..<target[axis]).map { position + $0 * stride } }
    }
    for (index, position) in positions.enumerated() { body(index * run, position, moves, run) }
  }

  /// `x − b`, where `b` broadcasts to x.
  func subtractingBroadcast(_ b: Tensor) -> Tensor {
    Tensor(uninitialized: shape) { result in
      withUnsafeElements { x in
        b.withUnsafeElements { bound in
          b.forEachRun(broadcastTo: shape) { start, own, moves, count in
            if moves {
              for i in 0..<count { result[start + i] = x[start + i] - bound[own + i] }
            } else {
              rk_subtract_scalar(result.baseAddress! + start, x.baseAddress! + start, bound[own], count)
            }
          }
        }
      }
    }
  }
}
