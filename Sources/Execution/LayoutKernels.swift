import CKernels
import Networks
import Tensors

/// Output is the operand, element for element, under another shape at most.
struct CopyKernel: LinearKernel {
  let count: Int

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    output.update(from: operands[0], count: count)
  }

  func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    results[0]?.update(from: upstream, count: count * seeds)
  }
}

/// Joins tensors along an axis.
struct ConcatKernel: LinearKernel {
  private let outer: Int
  /// Elements of each operand for one index of the axes before the joined one.
  private let runs: [Int]

  init(axis: Int, operands: [Shape]) {
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

/// Another order of the axes.
struct TransposeKernel: LinearKernel {
  private let order: [Int]
  private let input: Shape

  init(order: [Int]?, input: Shape) {
    self.order = order ?? (0..<input.rank).reversed()
    self.input = input
  }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    Self.permute(operands[0], shape: input, order: order, output)
  }

  func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    guard let c = results[0] else { return }
    precondition(order.first == 0 || seeds == 1, "the batch axis must stay first to carry several seeds")
    let output = order.map { input[$0] }
    let shape = order.first == 0 ? Shape([output[0] * seeds] + output[1...]) : Shape(output)
    let inverse = order.indices.map { order.firstIndex(of: $0)! }
    Self.permute(upstream, shape: shape, order: inverse, c)
  }

  private static func permute(
    _ x: UnsafePointer<Float>, shape: Shape, order: [Int], _ y: UnsafeMutablePointer<Float>
  ) {
    let strides = shape.strides
    let target = Shape(order.map { shape[$0] })
    BroadcastKernel.walk(target) { position, index in
      var from = 0
      for axis in index.indices { from += index[axis] * strides[order[axis]] }
      y[position] = x[from]
    }
  }
}
