import Networks
import Tensors

extension Transpose: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    TransposeKernel(order: order, input: site.operands[0].shape)
  }
}

/// Another order of the axes.
struct TransposeKernel: LinearKernel {
  private let order: [Int]
  private let input: TensorShape

  init(order: [Int]?, input: TensorShape) {
    self.order = order ?? (0..<input.rank).reversed()
    self.input = input
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    Self.permute(operands[0], shape: input, order: order, output)
  }

  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers) {
    guard let c = results[0] else { return }
    precondition(order.first == 0 || seeds == 1, "the batch axis must stay first to carry several seeds")
    let output = order.map { input[$0] }
    let shape = order.first == 0 ? TensorShape([output[0] * seeds] + output[1...]) : TensorShape(output)
    let inverse = order.indices.map { order.firstIndex(of: $0)! }
    Self.permute(upstream, shape: shape, order: inverse, c)
  }

  private static func permute(_ x: Floats, shape: TensorShape, order: [Int], _ y: MutableFloats) {
    let strides = shape.strides
    let walk = StridedWalk(over: TensorShape(order.map { shape[$0] }), strides: order.map { strides[$0] })
    walk.forEachElement { position, from, _ in y[position] = x[from] }
  }
}
