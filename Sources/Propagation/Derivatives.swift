import CKernels
import Execution
import Networks
import Tensors

extension Layer {
  /// Relevance times a factor for each element of an item of the batch.
  func scaled(_ relevance: consuming Tensor, by factor: Tensor) -> Tensor {
    var r = relevance
    r.withUnsafeMutableElements { r in
      factor.withUnsafeElements { factor in
        let shared = Shared((r: r.baseAddress!, factor: factor.baseAddress!))
        forEachRun(ofItems: factor.count / batch) { at, activation, count in
          rk_multiply(shared.pointer.r + at, shared.pointer.r + at, shared.pointer.factor + activation, count)
        }
      }
    }
    return r
  }

  /// Relevance times the derivatives of a function of two operands, summed where an operand was repeated.
  func partials(_ relevance: Tensor, _ derivatives: (Float, Float) -> (a: Float, b: Float)) -> [Tensor?] {
    let shape = outputShape
    let (a, b) = (operands[0].expanded(to: shape), operands[1].expanded(to: shape))
    let factors = [a.combined(with: b) { derivatives($0, $1).a }, a.combined(with: b) { derivatives($0, $1).b }]
    return operandShapes.indices.map { index in
      site.operandIsLive[index]
        ? summed(scaled(relevance, by: factors[index]), to: operandShapes[index]) : nil
    }
  }

  /// Relevance times the derivatives of a kernel at the values of the run.
  func derivative(of kernel: any DifferentiableKernel, _ relevance: Tensor) -> Tensor {
    let (x, y) = (operand, output)
    var result = uninitializedRelevance(like: x.shape)
    result.withUnsafeMutableElements { c in
      x.withUnsafeElements { x in
        y.withUnsafeElements { y in
          relevance.withUnsafeElements { s in
            let point = Linearization(
              x: x.baseAddress!, y: y.baseAddress!, count: x.count / batch, items: batch, seeds: seeds)
            kernel.derivative(s.baseAddress!, at: point, c.baseAddress!, on: workers)
          }
        }
      }
    }
    return result
  }
}
