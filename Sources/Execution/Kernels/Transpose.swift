import Networks
import Tensors

extension Transpose: ComputedOperator {
  package func kernel(at site: KernelSite) -> any Kernel {
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

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    Self.permute(operands[0], shape: input, order: order, output)
  }

  func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    guard let c = results[0] else { return }
    precondition(order.first == 0 || seeds == 1, "the batch axis must stay first to carry several seeds")
    let output = order.map { input[$0] }
    let shape = order.first == 0 ? TensorShape([output[0] * seeds] + output[1...]) : TensorShape(output)
    let inverse = order.indices.map { order.firstIndex(of: $0)! }
    Self.permute(upstream, shape: shape, order: inverse, c)
  }

  private static func permute(
    _ x: UnsafePointer<Float>, shape: TensorShape, order: [Int], _ y: UnsafeMutablePointer<Float>
  ) {
    let strides = shape.strides
    let walk = StridedWalk(over: TensorShape(order.map { shape[$0] }), strides: order.map { strides[$0] })
    walk.forEachElement { position, from, _ in y[position] = x[from] }
  }
}
