import RelevanceNetworks
import RelevanceTensors

extension Quantize: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    let (lowest, highest) = (Float(limits.lowerBound), Float(limits.upperBound))
    return QuantizationKernel(steps, site.output.shape) { [self] in
      quantized($0, $1, $2)
    } slope: { x, scale, zero in
      // Straight-through estimator. Clipped values do not pass, because networks are quantized with clipping as their
      // rectifier.
      let q = (x / scale).rounded(.toNearestOrEven) + zero
      return q >= lowest && q <= highest ? 1 / scale : 0
    }
  }
}

extension Dequantize: ComputedOperator {
  func kernel(at site: KernelSite) -> any Kernel {
    QuantizationKernel(steps, site.output.shape) {
      ($0 - $2) * $1
    } slope: { _, scale, _ in
      scale
    }
  }
}

/// A function of each element and of its quantization parameters.
private struct QuantizationKernel: DifferentiableKernel {
  typealias Function = @Sendable (_ x: Float, _ scale: Float, _ zero: Float) -> Float
  private let steps: QuantizationSteps
  private let shape: TensorShape
  private let value: Function
  private let slope: Function

  init(_ steps: QuantizationSteps, _ shape: TensorShape, _ value: @escaping Function, slope: @escaping Function) {
    (self.steps, self.shape, self.value, self.slope) = (steps, shape, value, slope)
  }

  private func forEachPart(
    on workers: Workers, _ body: @Sendable (_ elements: Range<Int>, _ scale: Float, _ zero: Float) -> Void
  ) {
    let (run, scales, zeros) = (steps.run(in: shape), steps.scale.elements, steps.zero.elements)
    workers.runSplit(shape.count) { part in
      var start = part.lowerBound
      while start < part.upperBound {
        let end = min((start / run + 1) * run, part.upperBound)
        let place = steps.place(ofRun: start / run, in: shape)
        body(start..<end, scales[place], zeros[place])
        start = end
      }
    }
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    forEachPart(on: workers) { elements, scale, zero in
      let (x, y) = shared.pointer
      for i in elements { y[i] = value(x[i], scale, zero) }
    }
  }

  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    let shared = Shared((s: s, x: point.x, c: c))
    forEachPart(on: workers) { elements, scale, zero in
      let (s, x, c) = shared.pointer
      for i in elements {
        let slope = slope(x[i], scale, zero)
        // The seeds of an item are adjacent.
        let first = i / point.count * point.count * point.seeds + i % point.count
        for at in stride(from: first, to: first + point.count * point.seeds, by: point.count) { c[at] = s[at] * slope }
      }
    }
  }
}

extension DynamicQuantize: DirectlyComputed { typealias Computed = DynamicQuantizationKernel }

struct DynamicQuantizationKernel: OperatorKernel, DifferentiableKernel {
  private let count: Int
  init(_ operation: DynamicQuantize, at site: KernelSite) { count = site.output.shape.count }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let x = UnsafeBufferPointer(start: operands[0], count: count)
    let (scale, zero) = DynamicQuantize.steps(from: x.min() ?? 0, to: x.max() ?? 0)
    for i in x.indices { output[i] = DynamicQuantize.value(of: x[i], scale, zero) }
  }

  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers) {
    c.update(from: s, count: point.count * point.items * point.seeds)
  }
}
