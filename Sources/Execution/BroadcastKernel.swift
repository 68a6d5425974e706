import CKernels
import Networks
import Tensors

/// A function of pairs of elements of two tensors that broadcast to the output's shape.
package struct BroadcastKernel: Kernel {
  enum Operation: Sendable {
    case add
    case multiply
    case function(BinaryFunction)
    /// A sum, product or function of integers
    case integers(Networks.Operator, IntegerType)
  }
  private let operation: Operation
  private let output: Shape
  /// Elements in a run along which each operand either moves on with the output or stays where it is.
  private let run: Int
  private let moves: (a: Bool, b: Bool)
  /// Where each operand is at the start of each run.
  private let starts: (a: [Int], b: [Int])

  init(operation: Operation, operands: [Shape], output: Shape) {
    self.operation = operation
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
          moves.a ? a + part.lowerBound : a, moves.b ? b + part.lowerBound : b, y + part.lowerBound, part.count)
      }
    } else {
      workers.runSplit(starts.a.count, grain: max(grain / max(run, 1), 1)) { part in
        let (a, b, y) = shared.pointer
        for i in part { apply(a + starts.a[i], b + starts.b[i], y + i * run, run) }
      }
    }
  }

  private func apply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    switch (operation, moves) {
    case (.add, (true, true)): rk_add(y, a, b, count)
    case (.add, (true, false)): rk_affine(y, a, 1, b[0], count)
    case (.add, (false, true)): rk_affine(y, b, 1, a[0], count)
    case (.multiply, (true, true)): rk_multiply(y, a, b, count)
    case (.multiply, (true, false)): rk_scale(y, a, b[0], count)
    case (.multiply, (false, true)): rk_scale(y, b, a[0], count)
    case (.add, (false, false)): y.update(repeating: a[0] + b[0], count: count)
    case (.multiply, (false, false)): y.update(repeating: a[0] * b[0], count: count)
    case (.integers(let operation, let type), _):
      for i in 0..<count { y[i] = operation.integer(a[moves.a ? i : 0], b[moves.b ? i : 0], type) }
    case (.function(let function), _):
      for i in 0..<count { y[i] = function(a[moves.a ? i : 0], b[moves.b ? i : 0]) }
    }
  }

  /// The distance between neighbours of a broadcast operand along each axis of the output; 0 where it repeats.
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
