import Networks
import Tensors

/// Sum, product or mean of integers over whole axes, computed in double precision, as in ONNX Runtime: rounded toward zero, and to the
/// limits of the type.
struct IntegerReductionKernel: Kernel {
  let reduction: Reduction
  let type: IntegerType
  let isMean: Bool
  let input: TensorShape
  let axes: Set<Int>

  func forward(_ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers) {
    let kept = input.reduced(over: axes, keepsAxes: true)
    var results = [Double](repeating: reduction.function.neutralElement, count: kept.count)
    StridedWalk(over: input, broadcasting: kept).forEachElement { position, to, _ in
      results[to] = reduction.combine(results[to], Double(operands[0][position]))
    }
    let count = isMean ? Double(input.count / max(kept.count, 1)) : 1
    for (i, result) in results.enumerated() { output[i] = type.float(type.held(result / count)) }
  }
}
