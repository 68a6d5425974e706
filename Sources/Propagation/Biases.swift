import Execution
import Networks
import Tensors

extension Layer {
  // MARK: Affine nodes in front of the layer

  /// What affine nodes in front of the layer have added to its operand; nil where there is nothing of the kind.
  private var operandOffset: Tensor? {
    guard site.operandHasOffset else { return nil }
    return denominators.value(for: site.id, group: -2, isPartial: false) {
      // Shapes were found to fit when the run was prepared.
      let offset = try? site.network.offset(of: node.inputs[0], site.offsets, forInput: trace.input.shape)
      return offset ?? Tensor(shape: operandShape)
    }
  }

  /// The operand without what affine nodes have added to it.
  var contributingOperand: Tensor {
    guard let operandOffset else { return operand }
    return operand.combined(with: operandOffset, -)
  }

  // MARK: Biases

  /// `b_j + Σ_i o_i w_ij` for each output, where the operand has an offset o.
  private var biasesWithOffset: Tensor? {
    guard let operandOffset else { return nil }
    return denominators.value(for: site.id, group: -3, isPartial: false) {
      var sum = product([(.all, operandOffset)])
      guard let bias = weighted.bias else { return sum }
      let b = bias.values.view
      sum.update { sum in for i in sum.indices { sum[i] += b[i / bias.run % b.count] } }
      return sum
    }
  }

  /// `z ← z + part(b)`
  func add(biases part: WeightPart, to z: inout Tensor) {
    if let biases = biasesWithOffset {
      z.add(biases.map { part($0) }, on: workers)
    } else if let bias = weighted.bias {
      let (b, run) = (bias.values.view, bias.run)
      z.update { z in
        workers.runSplit(z.count / run, grain: max((1 << 15) / run, 1)) { runs in
          for index in runs { z.run(from: index * run, count: run).add(part(b[index % b.count])) }
        }
      }
    }
  }

  /// `s ← part(b)·s`; false if there are no biases.
  func multiply(_ s: inout Tensor, byBiases part: WeightPart) -> Bool {
    let count = s.count / (batch * seeds)
    if let biases = biasesWithOffset?.view {
      s.update { s in for i in s.indices { s[i] *= part(biases[i / count / seeds * count + i % count]) } }
    } else if let bias = weighted.bias {
      let b = bias.values.view
      s.update { s in for i in s.indices { s[i] *= part(b[i % count / bias.run % b.count]) } }
    } else {
      return false
    }
    return true
  }
}
