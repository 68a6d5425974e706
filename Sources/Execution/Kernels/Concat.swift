import Networks
import Tensors

extension Concat: ComputedOperator {
  package func kernel(at site: KernelSite) -> any Kernel {
    ConcatKernel(axis: axis, operands: site.operands.map(\.shape))
  }
}

/// Joins tensors along an axis.
struct ConcatKernel: LinearKernel {
  private let outer: Int
  /// Elements of each operand for one index of the axes before the joined one.
  private let runs: [Int]

  init(axis: Int, operands: [TensorShape]) {
    let axis = axis < 0 ? axis + operands[0].rank : axis
    outer = operands[0].dimensions[..<axis].reduce(1, *)
    runs = operands.map { $0.dimensions[axis...].reduce(1, *) }
  }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    var y = output
    for o in 0..<outer {
      for (operand, run) in zip(operands, runs) {
        // What was computed where it is joined needs no copying.
        if y != operand + o * run { y.update(from: operand + o * run, count: run) }
        y += run
      }
    }
  }

  func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    var s = upstream
    for o in 0..<outer * seeds {
      for (result, run) in zip(results, runs) {
        if let result { (result + o * run).update(from: s, count: run) }
        s += run
      }
    }
  }
}
