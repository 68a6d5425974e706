import Networks
import Tensors

extension Concat: DirectlyComputed { typealias Computed = ConcatKernel }

/// Joins tensors along an axis.
struct ConcatKernel: OperatorKernel, LinearKernel {
  private let outer: Int
  /// Elements of each operand for one index of the axes before the joined one.
  private let runs: [Int]

  init(_ concat: Concat, at site: KernelSite) {
    let operands = site.operands.map(\.shape)
    let axis = concat.axis < 0 ? concat.axis + operands[0].rank : concat.axis
    outer = operands[0].dimensions[..<axis].reduce(1, *)
    runs = operands.map { $0.dimensions[axis...].reduce(1, *) }
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    var y = output
    for o in 0..<outer {
      for (operand, run) in zip(operands, runs) {
        // What was computed where it is joined needs no copying.
        if y != operand + o * run { y.update(from: operand + o * run, count: run) }
        y += run
      }
    }
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    var s = upstream
    for o in 0..<outer * seeds {
      for (result, run) in zip(results, runs) {
        if let result { (result + o * run).update(from: s, count: run) }
        s += run
      }
    }
  }
}
