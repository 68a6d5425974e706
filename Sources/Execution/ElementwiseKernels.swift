import CKernels
import Foundation
import Networks
import Tensors

/// `max(0, x)`.
struct ReluKernel: Kernel {
  let count: Int
  var allowsInPlace: Bool { true }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(count) { rk_relu(shared.pointer.y + $0.lowerBound, shared.pointer.x + $0.lowerBound, $0.count) }
  }
}

/// Local response normalisation across channels.
struct LocalResponseNormalizationKernel: Kernel {
  let parameters: LocalResponseNormalization
  let shape: Shape

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let positions = shape.dimensions[2...].reduce(1, *)
    let item = shape[1] * positions
    let shared = Shared((x: operands[0], y: output))
    workers.run(shape[0]) { index in
      rk_lrn(
        shared.pointer.x + index * item, shape[1], positions, parameters.size, parameters.alpha, parameters.beta,
        parameters.bias, shared.pointer.y + index * item)
    }
  }
}

/// Probabilities, or their logarithms.
struct SoftmaxKernel: Kernel {
  private let outer: Int
  private let classes: Int
  private let inner: Int
  private let logarithm: Bool

  init(_ softmax: Softmax, logarithm: Bool, shape: Shape) {
    let axis = softmax.axis < 0 ? softmax.axis + shape.rank : softmax.axis
    outer = shape.dimensions[..<axis].reduce(1, *)
    classes = softmax.joinsTrailingAxes ? shape.dimensions[axis...].reduce(1, *) : shape[axis]
    inner = softmax.joinsTrailingAxes ? 1 : shape.dimensions[(axis + 1)...].reduce(1, *)
    self.logarithm = logarithm
  }

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    for o in 0..<outer {
      for i in 0..<inner {
        let x = operands[0] + o * classes * inner + i
        let y = output + o * classes * inner + i
        var largest = -Float.infinity
        for c in 0..<classes { largest = max(largest, x[c * inner]) }
        var sum = 0.0
        for c in 0..<classes { sum += exp(Double(x[c * inner] - largest)) }
        for c in 0..<classes {
          let shifted = Double(x[c * inner] - largest)
          y[c * inner] = Float(logarithm ? shifted - log(sum) : exp(shifted) / sum)
        }
      }
    }
  }
}
