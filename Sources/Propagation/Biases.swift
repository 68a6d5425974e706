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
      if let bias = weighted.bias { update(&sum, with: bias) { $0.add($1) } }
      return sum
    }
  }

  /// `z ← z + part(b)`
  func add(biases part: WeightPart, to z: inout Tensor) {
    if let biases = biasesWithOffset {
      z.add(biases.map { part($0) }, on: workers)
    } else if let bias = weighted.bias {
      update(&z, with: bias) { $0.add(part($1)) }
    }
  }

  /// `s ← part(b)·s`; false if there are no biases.
  func multiply(_ s: inout Tensor, byBiases part: WeightPart) -> Bool {
    if let biases = biasesWithOffset {
      update(&s, with: biases.map { part($0) }) { $0.multiply(by: $1) }
    } else if let bias = weighted.bias {
      update(&s, with: bias) { $0.multiply(by: part($1)) }
    } else {
      return false
    }
    return true
  }

  /// Calls `body` with the runs of outputs that have a bias in common, or of their relevance, and with the bias, on all threads.
  private func update(
    _ outputs: inout Tensor, with bias: (values: Tensor, run: Int), _ body: @Sendable (MutableElements, Float) -> Void
  ) {
    let (biases, run) = (bias.values.view, bias.run)
    outputs.update { outputs in
      workers.runSplit(outputs.count / max(run, 1), grain: max(Self.grain / max(run, 1), 1)) { runs in
        for index in runs { body(outputs.run(from: index * run, count: run), biases[index % biases.count]) }
      }
    }
  }
}
