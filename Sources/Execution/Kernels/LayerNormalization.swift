import CKernels
import Networks
import Tensors

extension LayerNormalization: ComputedOperator {
  package func kernel(at site: KernelSite) -> any Kernel {
    LayerNormalizationKernel(parameters: self, shape: site.output.shape)
  }
}

/// Normalization of each position over its trailing axes.
struct LayerNormalizationKernel: Kernel {
  let parameters: LayerNormalization
  let shape: Shape

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let size = max(parameters.scale.count, 1)
    let shared = Shared((x: operands[0], y: output))
    workers.run(shape.count / size) { row in
      let (x, y) = (shared.pointer.x + row * size, shared.pointer.y + row * size)
      let mean = rk_sum(x, size) / Double(size)
      var variance = 0.0
      for i in 0..<size { variance += (Double(x[i]) - mean) * (Double(x[i]) - mean) }
      let factor = Float(1 / (variance / Double(size) + Double(parameters.epsilon)).squareRoot())
      parameters.scale.withUnsafeElements { scale in
        for i in 0..<size { y[i] = (x[i] - Float(mean)) * factor * scale[i] }
      }
      parameters.shift?.withUnsafeElements { rk_add(y, y, $0.baseAddress!, size) }
    }
  }
}
