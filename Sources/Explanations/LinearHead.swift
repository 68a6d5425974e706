import Execution
import Networks
import Propagation
import Tensors

/// The end of a network as one linear map: from the input of the last weighted layer before a target to the target.
///
/// Rectifiers on the way are passed over, as they are when relevance is propagated.
struct LinearHead {
  /// The nodes from the target's down to the weighted layer.
  let nodes: [Node.ID]
  /// The node whose output the weighted layer takes.
  let input: Node.ID
  private let trace: Trace

  /// The weighted layer.
  var weighted: Node.ID { nodes[nodes.count - 1] }
  private var forward: ForwardTrace { trace.forward }

  /// - Throws: `ExplanationError.noWeightedHead` if something that is not linear lies between.
  init(from target: Node.ID, in trace: Trace) throws {
    let graph = trace.plan.network.graph
    var nodes: [Node.ID] = []
    var id = target
    while true {
      nodes.append(id)
      let node = graph[id]
      if node.operation.isWeighted { break }
      switch node.operation.kind {
      case .relu, .batchNormalization, .averagePool, .globalAveragePool, .reduceMean, .flatten, .reshape, .squeeze,
        .unsqueeze, .transpose, .dropout, .slice:
        id = node.inputs[0]
      default: throw ExplanationError.noWeightedHead(node: node.name, operator: node.operation.kind.rawValue)
      }
    }
    self.nodes = nodes
    input = graph[id].inputs[0]
    self.trace = trace
  }

  /// Negated targets.
  struct Negated {
    /// What joins at the inputs of the heads: for each item of the batch one item per target.
    var duals: [Node.ID: Tensor]
    /// What the relevance that each target starts with is multiplied by.
    var factors: [Float]
    /// What each element of each target starts with, by target and item of the batch, if it is not its value.
    var scores: [[[Float]]]?
  }

  /// What makes `R − λ·R_dual` of relevance, where the dual's weights into the target are negated.
  ///
  /// The weights are those that the target really has: where a batch normalisation behind the layer turns the sign round, R goes
  /// by the negated weights of the layer, and the dual by its own.
  ///
  /// - Parameters:
  ///   - strength: λ.
  ///   - propagator: how relevance goes from the targets to their weighted layers.
  ///   - scores: what the elements of targets start with, by target and item of the batch; by default their values.
  static func negated(
    _ sites: [Site], _ kind: Method.Head, strength: Float, in trace: Trace, by propagator: Propagator,
    scores: [[[Float]]]? = nil
  ) throws -> Negated {
    var result = Negated(duals: [:], factors: [Float](repeating: 1, count: sites.count), scores: scores)
    for (node, members) in Dictionary(grouping: sites.indices, by: { sites[$0].node }) {
      let head = try LinearHead(from: node, in: trace)
      let own = members.map { sites[$0] }
      let isTurned = head.isTurned(own)
      let starts = scores.map { scores in members.map { scores[$0] } }
      // A channel at many positions is many targets; each has its own dual.
      let isComposite = kind == .composite && own.allSatisfy(\.isSingle)
      let rows =
        isComposite
        ? head.compositeDual(of: own, isTurned, scores: starts)
        : head.layerDual(of: own, by: propagator, scores: starts)
      let item = rows.count / rows.shape[0]
      var dual = result.duals.removeValue(forKey: head.input) ?? Tensor(shape: [trace.batch * sites.count, item])
      for (place, number) in members.enumerated() {
        for index in 0..<trace.batch {
          let row = rows.item(index * members.count + place).map { isTurned[place] ? $0 : -strength * $0 }
          dual.setItem(index * sites.count + number, to: row)
        }
        if isTurned[place] { result.factors[number] = -strength }
      }
      result.duals[head.input] = dual
    }
    return result
  }

  /// For each target whether what lies between the weighted layer and it turns signs round.
  private func isTurned(_ sites: [Site]) -> [Bool] {
    let slopes = weights(into: sites, includingLayer: false)
    return sites.indices.map { slopes.item($0).sum() < 0 }
  }

  /// `S · x ⊙ w⁻ / Σ x ⊙ w⁻` with `w` the weights of the whole head into the target, signs turned back.
  private func compositeDual(of sites: [Site], _ isTurned: [Bool], scores: [[[Float]]]?) -> Tensor {
    let weights = weights(into: sites, includingLayer: true)
    let x = forward.value(of: input)
    let item = x.count / trace.batch
    return Tensor(uninitialized: weights.shape) { dual in
      x.withUnsafeElements { x in
        weights.withUnsafeElements { w in
          for row in 0..<trace.batch * sites.count {
            let index = row / sites.count
            let sign: Float = isTurned[row % sites.count] ? -1 : 1
            var sum = 0.0
            for i in 0..<item {
              let contribution = min(sign * x[index * item + i] * w[row * item + i], 0)
              dual[row * item + i] = contribution
              sum += Double(contribution)
            }
            let site = row % sites.count
            let score = Double(scores?[site][index][0] ?? sites[site].score(in: trace, item: index))
            let scale = sum == 0 ? 0 : Float(score / sum)
            for i in 0..<item { dual[row * item + i] *= scale }
          }
        }
      }
    }
  }

  /// The derivative of each target by the weighted layer's input, or by its output; rectifiers passed over.
  private func weights(into sites: [Site], includingLayer: Bool) -> Tensor {
    let rows = trace.batch * sites.count
    var gradient = Tensor(shape: [rows, sites[0].item])
    for row in 0..<rows {
      for element in sites[row % sites.count].elements[row / sites.count] {
        gradient[row, element] = sites[row % sites.count].sign
      }
    }
    return BLAS.withOneThreadPerCall {
      for id in nodes where includingLayer || id != weighted {
        guard forward.graph[id].operation.kind != .relu, let kernel = forward.kernel(of: id) else { continue }
        let operand = forward.shape(of: forward.graph[id].inputs[0])
        let upstream = gradient
        gradient = Tensor(uninitialized: [rows, operand.count / trace.batch]) { result in
          upstream.withUnsafeElements { s in
            if let weighted = kernel as? any WeightedKernel {
              weighted.adjoint(
                .all, s.baseAddress!, seeds: sites.count, result.baseAddress!, factor: nil, on: forward.workers)
            } else if let linear = kernel as? any LinearKernel {
              linear.adjoint(s.baseAddress!, seeds: sites.count, [result.baseAddress!], on: forward.workers)
            }
          }
        }
      }
      return gradient
    }
  }

  /// The dual with the weights of the last layer alone negated: its output's relevance under the table, sent on by
  /// `x ⊙ w⁻ / Σ x ⊙ w⁻`.
  private func layerDual(of sites: [Site], by propagator: Propagator, scores: [[[Float]]]?) -> Tensor {
    var builder = SeedBuilder(trace: trace, count: sites.count)
    for item in 0..<trace.batch {
      for (number, site) in sites.enumerated() {
        let values = scores.map { $0[number][item] } ?? site.values(in: trace, item: item)
        builder.add(values, at: site, item, number)
      }
    }
    let seeds = sites.count
    let relevance = propagator.relevance(arrivingAt: weighted, from: builder.tensors, count: seeds)
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
              let denominator = z[i / perItem / seeds * perItem + i % perItem]
              s[i] = denominator == 0 ? 0 : r[i] / denominator
            }
          }
        }
      }
      let shares = terms.map { term in
        Tensor(uninitialized: [trace.batch * seeds, x.count / trace.batch]) { result in
          s.withUnsafeElements { s in
            term.input.withUnsafeElements { x in
              kernel.adjoint(
                term.part, s.baseAddress!, seeds: seeds, result.baseAddress!, factor: x.baseAddress!,
                on: forward.workers)
            }
          }
        }
      }
      return shares[0].combined(with: shares[1], +)
    }
  }
}

extension Tensor {
  /// Overwrites an item of the batch.
  fileprivate mutating func setItem(_ index: Int, to item: Tensor) {
    withUnsafeMutableElements { elements in
      item.withUnsafeElements {
        (elements.baseAddress! + index * $0.count).update(from: $0.baseAddress!, count: $0.count)
      }
    }
  }
}
