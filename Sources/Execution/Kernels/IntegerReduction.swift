import Networks
import Tensors

/// Sum, product or mean of integers over whole axes, computed in double precision, as in ONNX Runtime: rounded toward zero, and to the
/// limits of the type.
struct IntegerReductionKernel: Kernel {
  let reduction: Reduction
  let type: IntegerType
  let isMean: Bool
  let input: Shape
  let axes: Set<Int>

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let kept = Shape(input.dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
    let strides = zip(kept.dimensions, kept.strides).map { $0 == 1 ? 0 : $1 }
    var results = [Double](repeating: reduction.function.neutralElement, count: kept.count)
    BroadcastKernel.walk(input) { position, index in
      let to = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
      results[to] = reduction.combine(results[to], Double(operands[0][position]))
    }
    let count = isMean ? Double(input.count / max(kept.count, 1)) : 1
    for (i, result) in results.enumerated() { output[i] = type.float(type.held(result / count)) }
  }
}
