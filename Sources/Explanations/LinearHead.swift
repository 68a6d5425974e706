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

  private var weighted: Node.ID { nodes[nodes.count - 1] }
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
        .unsqueeze, .transpose, .dropout:
        id = node.inputs[0]
      default: throw ExplanationError.noWeightedHead(node: node.name, operator: node.operation.kind.rawValue)
      }
    }
    self.nodes = nodes
    input = graph[id].inputs[0]
    self.trace = trace
  }

  /// What z⁺ gives for negated targets, at the inputs of their heads: for each item of the batch one item per target.
  ///
  /// - Parameters:
  ///   - propagator: how relevance goes from the targets to their weighted layers.
  ///   - scores: what targets start with; by default their values.
  static func duals(
    of sites: [Site], _ kind: Method.Head, in trace: Trace, by propagator: Propagator, scores: Float? = nil
  ) throws -> [Node.ID: Tensor] {
    var duals: [Node.ID: Tensor] = [:]
    for (node, members) in Dictionary(grouping: sites.indices, by: { sites[$0].node }) {
      let head = try LinearHead(from: node, in: trace)
      let own = members.map { sites[$0] }
      // A channel at many positions is many targets; each has its own dual.
      let isComposite = kind == .composite && own.allSatisfy { $0.elements.count == 1 }
      let rows =
        isComposite
        ? head.compositeDual(of: own, scores: scores) : head.layerDual(of: own, by: propagator, scores: scores)
      let item = rows.count / rows.shape[0]
      var dual = duals.removeValue(forKey: head.input) ?? Tensor(shape: [trace.batch * sites.count, item])
      for index in 0..<trace.batch {
        for (place, number) in members.enumerated() {
          dual.setItem(index * sites.count + number, to: rows.item(index * members.count + place))
        }
      }
      duals[head.input] = dual
    }
    return duals
  }

  /// `S · x ⊙ w⁻ / Σ x ⊙ w⁻` with `w` the weights of the whole head into the target.
  private func compositeDual(of sites: [Site], scores: Float?) -> Tensor {
    let weights = weights(into: sites, downTo: weighted)
    let x = forward.value(of: input)
    let item = x.count / trace.batch
    return Tensor(uninitialized: weights.shape) { dual in
      x.withUnsafeElements { x in
        weights.withUnsafeElements { w in
          for row in 0..<trace.batch * sites.count {
            let index = row / sites.count
            var sum = 0.0
            for i in 0..<item {
              let contribution = min(x[index * item + i] * w[row * item + i], 0)
              dual[row * item + i] = contribution
              sum += Double(contribution)
            }
            let score = Double(scores ?? sites[row % sites.count].score(in: trace, item: index))
            let scale = sum == 0 ? 0 : Float(score / sum)
            for i in 0..<item { dual[row * item + i] *= scale }
          }
        }
      }
    }
  }

  /// The derivative of each target by the input of a node on the way, or by that node's output; rectifiers passed over.
  private func weights(into sites: [Site], downTo last: Node.ID?) -> Tensor {
    let rows = trace.batch * sites.count
    var gradient = Tensor(shape: [rows, sites[0].item])
    for row in 0..<rows { for element in sites[row % sites.count].elements { gradient[row, element] = 1 } }
    return BLAS.withOneThreadPerCall {
      for id in nodes where last != nil || id != weighted {
        guard forward.graph[id].operation.kind != .relu, let kernel = forward.kernel(of: id) else { continue }
        let operand = forward.value(of: forward.graph[id].inputs[0]).shape
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
  /// `x ⊙ w⁻ / Σ x ⊙ w⁻`. Where a batch normalisation between turns the sign round, it is `w⁺` that speaks against.
  private func layerDual(of sites: [Site], by propagator: Propagator, scores: Float?) -> Tensor {
    var seeds = SeedBuilder(trace: trace, count: sites.count)
    for item in 0..<trace.batch {
      for (number, site) in sites.enumerated() {
        seeds.add(
          scores.map { score in site.elements.map { _ in score } } ?? site.values(in: trace, item: item), at: site,
          item,
          number)
      }
    }
    let relevance = propagator.relevance(arrivingAt: weighted, from: seeds.tensors, count: sites.count)
    let signs = weights(into: sites, downTo: nil)
    let negated = negatedShares(of: relevance.masked(by: signs) { $0 >= 0 }, isTurned: false, seeds: sites.count)
    let turned = relevance.masked(by: signs) { $0 < 0 }
    if turned.largestMagnitude() == 0 { return negated }
    return negated.combined(with: negatedShares(of: turned, isTurned: true, seeds: sites.count), +)
  }

  private func negatedShares(of relevance: Tensor, isTurned: Bool, seeds: Int) -> Tensor {
    guard let kernel = forward.kernel(of: weighted) as? any WeightedKernel else {
      preconditionFailure("a head ends in a weighted layer")
    }
    let x = forward.value(of: input)
    return BLAS.withOneThreadPerCall {
      // x⁺w⁻ + x⁻w⁺: what speaks for the negated weights, whatever the sign of x.
      let (above, below) =
        isTurned ? (WeightPart.positive, WeightPart.negative) : (WeightPart.negative, WeightPart.positive)
      let terms: [(input: Tensor, part: WeightPart)] = [(x.positivePart, above), (x.map { min($0, 0) }, below)]
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
        Tensor(uninitialized: [relevance.shape[0], x.count / trace.batch]) { result in
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
  /// The elements where another tensor's fulfil a condition, 0 elsewhere.
  fileprivate func masked(by other: Tensor, where condition: (Float) -> Bool) -> Tensor {
    combined(with: other.reshaped(to: shape)) { condition($1) ? $0 : 0 }
  }

  /// Overwrites an item of the batch.
  fileprivate mutating func setItem(_ index: Int, to item: Tensor) {
    withUnsafeMutableElements { elements in
      item.withUnsafeElements {
        (elements.baseAddress! + index * $0.count).update(from: $0.baseAddress!, count: $0.count)
      }
    }
  }
}
