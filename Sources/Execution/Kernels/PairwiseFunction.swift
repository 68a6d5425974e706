import Networks
import Tensors

/// A function of pairs of elements of two tensors that broadcast to the output's shape.
package struct BroadcastKernel: Kernel {
  /// `y ← f(a, b)` for a run of elements; an operand that does not move is one number.
  typealias Run =
    @Sendable (
      _ a: UnsafePointer<Float>, _ aMoves: Bool, _ b: UnsafePointer<Float>, _ bMoves: Bool,
      _ y: UnsafeMutablePointer<Float>, _ count: Int
    ) -> Void
  private let apply: Run
  private let output: Shape
  /// Elements in a run along which each operand either moves on with the output or stays where it is.
  private let run: Int
  private let moves: (a: Bool, b: Bool)
  /// Where each operand is at the start of each run.
  private let starts: (a: [Int], b: [Int])

  init(operands: [Shape], output: Shape, apply: @escaping Run) {
    self.apply = apply
    self.output = output
    let strides = operands.map { Self.strides($0, in: output) }
    var run = 1
    var moves: (Bool, Bool)?
    var outer = output.rank
    for axis in (0..<output.rank).reversed() {
      if output[axis] > 1 {
        let here = (strides[0][axis] != 0, strides[1][axis] != 0)
        if let moves, moves != here { break }
        moves = here
      }
      run *= output[axis]
      outer = axis
    }
    self.run = run
    self.moves = moves ?? (true, true)
    let leading = Shape(Array(output.dimensions[..<outer]))
    func positions(_ strides: [Int]) -> [Int] {
      var positions: [Int] = []
      positions.reserveCapacity(leading.count)
      Self.walk(leading) { _, index in positions.append(zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }) }
      return positions
    }
    starts = (positions(strides[0]), positions(strides[1]))
  }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ result: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let shared = Shared((a: operands[0], b: operands[1], y: result))
    // Few long runs are cut, many short ones are gathered.
    let grain = 1 << 15
    if starts.a.count == 1 {
      workers.runSplit(run, grain: grain) { part in
        let (a, b, y) = shared.pointer
        apply(
          moves.a ? a + part.lowerBound : a, moves.a, moves.b ? b + part.lowerBound : b, moves.b, y + part.lowerBound,
          part.count)
      }
    } else {
      workers.runSplit(starts.a.count, grain: max(grain / max(run, 1), 1)) { part in
        let (a, b, y) = shared.pointer
        for i in part { apply(a + starts.a[i], moves.a, b + starts.b[i], moves.b, y + i * run, run) }
      }
    }
  }

  /// The distance between neighbors of a broadcast operand along each axis of the output; 0 where it repeats.
  package static func strides(_ operand: Shape, in output: Shape) -> [Int] {
    let padded = [Int](repeating: 1, count: output.rank - operand.rank) + operand.dimensions
    return zip(padded, Shape(padded).strides).map { $0 == 1 ? 0 : $1 }
  }

  /// Visits every index of a shape in row-major order.
  package static func walk(_ shape: Shape, _ body: (Int, [Int]) -> Void) {
    var index = [Int](repeating: 0, count: shape.rank)
    for position in 0..<shape.count {
      body(position, index)
      for axis in (0..<shape.rank).reversed() {
        index[axis] += 1
        if index[axis] < shape[axis] { break }
        index[axis] = 0
      }
    }
  }
}

extension PairwiseFunction {
  /// The kernel of the function; `run` is how it is computed, if not by itself element by element.
  func pairwiseKernel(at site: KernelSite, run: BroadcastKernel.Run? = nil) -> any Kernel {
    let (operands, output) = (site.operands.map(\.shape), site.output.shape)
    let kernel = BroadcastKernel(
      operands: operands, output: output,
      apply: run ?? { a, aMoves, b, bMoves, y, count in apply(a, aMoves, b, bMoves, y, count: count) })
    guard site.isStepwise, let type = site.output.kind.integerType else { return kernel }
    return StepwiseKernel(
      BroadcastKernel(operands: operands, output: output) { a, aMoves, b, bMoves, y, count in
        for i in 0..<count { y[i] = integer(a[aMoves ? i : 0], b[bMoves ? i : 0], type) }
      }, withoutSteps: kernel)
  }
}
