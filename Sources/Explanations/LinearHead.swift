import Execution
import Networks
import Propagation
import Tensors

/// The end of a network as one linear map from the input of its last weighted layer to the logits.
///
/// Rectifiers on the way are passed over, as they are when relevance is propagated.
struct LinearHead {
  /// The nodes from the logits down to the last weighted layer.
  let nodes: [Node.ID]
  /// The node whose output the last weighted layer takes.
  let input: Node.ID

  /// - Throws: `ExplanationError.noWeightedHead` if something that is not linear lies between.
  init(of network: Network) throws {
    var nodes: [Node.ID] = []
    var id = network.logits
    while true {
      nodes.append(id)
      let node = network.graph[id]
      if node.operation.isWeighted { break }
      switch node.operation.kind {
      case .relu, .averagePool, .globalAveragePool, .reduceMean, .flatten, .reshape, .squeeze, .unsqueeze, .transpose:
        id = node.inputs[0]
      default: throw ExplanationError.noWeightedHead(node: node.name, operator: node.operation.kind.rawValue)
      }
    }
    self.nodes = nodes
    input = network.graph[id].inputs[0]
  }

  /// `S · x ⊙ w⁻ / Σ x ⊙ w⁻` with `w` the weights of the whole head into the target: what z⁺ gives for the negated concept.
  func compositeDual(for targets: [Target], in trace: Trace) -> Tensor {
    let weights = weights(into: targets, in: trace)
    let x = trace.propagator.trace.value(of: input)
    let item = x.count / trace.batch
    return Tensor(uninitialized: weights.shape) { dual in
      x.withUnsafeElements { x in
        weights.withUnsafeElements { w in
          for row in 0..<trace.batch * targets.count {
            let index = row / targets.count
            var sum = 0.0
            for i in 0..<item {
              let contribution = min(x[index * item + i] * w[row * item + i], 0)
              dual[row * item + i] = contribution
              sum += Double(contribution)
            }
            let score = Double(trace.logits[index, targets[row % targets.count].classIndex])
            let scale = sum == 0 ? 0 : Float(score / sum)
            for i in 0..<item { dual[row * item + i] *= scale }
          }
        }
      }
    }
  }

  /// The derivative of each target's logit by the head's input, rectifiers passed over.
  private func weights(into targets: [Target], in trace: Trace) -> Tensor {
    let rows = trace.batch * targets.count
    var gradient = Tensor(shape: [rows, trace.classes])
    for row in 0..<rows { gradient[row, targets[row % targets.count].classIndex] = 1 }
    let forward = trace.propagator.trace
    return BLAS.withOneThreadPerCall {
      for id in nodes {
        guard forward.graph[id].operation.kind != .relu, let kernel = forward.kernel(of: id) else { continue }
        let operand = forward.value(of: forward.graph[id].inputs[0]).shape
        let upstream = gradient
        gradient = Tensor(uninitialized: [rows, operand.count / trace.batch]) { result in
          upstream.withUnsafeElements { s in
            if let weighted = kernel as? any WeightedKernel {
              weighted.adjoint(
                .all, s.baseAddress!, seeds: targets.count, result.baseAddress!, factor: nil, on: forward.workers)
            } else if let linear = kernel as? any LinearKernel {
              linear.adjoint(s.baseAddress!, seeds: targets.count, [result.baseAddress!], on: forward.workers)
            }
          }
        }
      }
      return gradient
    }
  }

  /// The dual with the weights of the last layer alone negated: its output's relevance under the table, sent on by
  /// `x ⊙ w⁻ / Σ x ⊙ w⁻`.
  func layerDual(for targets: [Target], in trace: Trace) -> Tensor {
    let forward = trace.propagator.trace
    let weighted = nodes[nodes.count - 1]
    let relevance = trace.propagator.relevance(
      arrivingAt: weighted, from: [trace.plan.network.logits: trace.seed(for: targets, others: 0)],
      count: targets.count)
    guard let kernel = forward.kernel(of: weighted) as? any WeightedKernel else {
      preconditionFailure("a head ends in a weighted layer")
    }
    let x = forward.value(of: input)
    return BLAS.withOneThreadPerCall {
      // x⁺w⁻ + x⁻w⁺: what speaks for the negated weights, whatever the sign of x.
      let terms: [(input: Tensor, part: WeightPart)] = [
        (x.positivePart, .negative), (x.map { min($0, 0) }, .positive),
      ]
      let z = Tensor(uninitialized: kernel.outputShape) { z in
        for (index, term) in terms.enumerated() {
          term.input.withUnsafeElements {
            kernel.product(term.part, $0.baseAddress!, z.baseAddress!, accumulates: index > 0, on: forward.workers)
          }
        }
      }
      let perItem = z.count / trace.batch
      let s = Tensor(uninitialized: relevance.shape) { s in
        relevance.withUnsafeElements { r in
          z.withUnsafeElements { z in
            for i in r.indices {
              let denominator = z[i / perItem / targets.count * perItem + i % perItem]
              s[i] = denominator == 0 ? 0 : r[i] / denominator
            }
          }
        }
      }
      let shares = terms.map { term in
        Tensor(uninitialized: [relevance.shape[0], x.count / trace.batch]) { result in
          s.withUnsafeElements { s in
            term.input.withUnsafeElements { x in
              kernel.adjoint(
                term.part, s.baseAddress!, seeds: targets.count, result.baseAddress!, factor: x.baseAddress!,
                on: forward.workers)
            }
          }
        }
      }
      return shares[0].combined(with: shares[1], +)
    }
  }
}
