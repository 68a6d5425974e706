import Execution
import Networks
import Tensors

extension Layer {
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
    let views = [relevance, operand, output].map(\.view)
    return self.relevance(like: operandShape) { c in
      Elements.withPointers(views) { pointers in
        let point = Linearization(
          x: pointers[1], y: pointers[2], count: views[1].count / batch, items: batch, seeds: seeds)
        c.withPointer { kernel.derivative(pointers[0], at: point, $0, on: workers) }
      }
    }
  }
}
