import CKernels
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
      let layer = weighted
      var sum = workers.pool.tensor(outputShape)
      sum.withUnsafeMutableElements { sum in
        operandOffset.withUnsafeElements {
          layer.product(.all, $0.baseAddress!, sum.baseAddress!, accumulates: false, on: workers)
        }
        guard let bias = layer.bias else { return }
        bias.values.withUnsafeElements { b in
          for i in sum.indices { sum[i] += b[i / bias.run % b.count] }
        }
      }
      return sum
    }
  }

  /// `z ← z + part(b)`
  func add(biases part: WeightPart, to z: inout Tensor) {
    if let biases = biasesWithOffset {
      z.add(biases.map { part($0) }, on: workers)
    } else if let bias = weighted.bias {
      z.withUnsafeMutableElements { z in
        bias.values.withUnsafeElements { b in
          let shared = Shared((z: z.baseAddress!, b: b.baseAddress!))
          let (run, count) = (bias.run, b.count)
          workers.run(z.count / run) { index in
            let (z, addend) = (shared.pointer.z + index * run, part(shared.pointer.b[index % count]))
            rk_affine(z, z, 1, addend, run)
          }
        }
      }
    }
  }

  /// `s ← part(b)·s`; false if there are no biases.
  func multiply(_ s: inout Tensor, byBiases part: WeightPart) -> Bool {
    let count = s.count / (batch * seeds)
    if let biases = biasesWithOffset {
      s.withUnsafeMutableElements { s in
        biases.withUnsafeElements { b in
          for i in s.indices { s[i] *= part(b[i / count / seeds * count + i % count]) }
        }
      }
    } else if let bias = weighted.bias {
      s.withUnsafeMutableElements { s in
        bias.values.withUnsafeElements { b in
          for i in s.indices { s[i] *= part(b[i % count / bias.run % b.count]) }
        }
      }
    } else {
      return false
    }
    return true
  }
}
