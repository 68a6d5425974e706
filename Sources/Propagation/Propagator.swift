import Execution
import Networks
import Tensors

/// The walk backward: carries relevance from seeds to the input of one recorded run, under a plan.
///
/// Fan-out adds up, joins split, sums share; each node's rule sees its relevance only when all of it has arrived.
package struct Propagator: Sendable {
  package let plan: RulePlan
  package let trace: ForwardTrace
  private let denominators = DenominatorCache()

  package init(plan: RulePlan, trace: ForwardTrace) {
    self.plan = plan
    self.trace = trace
  }

  /// What a walk found.
  package struct Result: Sendable {
    /// The relevance of the input: `seeds` items for each item of the batch.
    package let relevance: Tensor
    /// For each node that relevance reached, in walking order, its sum before and after the node's rule, over all items.
    package let ledger: [LedgerEntry]
  }

  /// Propagates relevance that starts at any number of nodes.
  ///
  /// - Parameters:
  ///   - seeds: for each starting node the relevance of its output: `count` items for each item of the batch.
  ///   - count: how many explanations are propagated together.
  ///   - keepsLedger: whether sums are recorded at each node, which reads all relevance twice more.
  /// - Complexity: one adjoint product per weighted layer and explanation; the denominators of a trace are computed once.
  package func propagate(_ seeds: [Node.ID: Tensor], count: Int, keepsLedger: Bool) -> Result {
    let walk = walk(seeds, count: count, keepsLedger: keepsLedger, until: plan.network.input)
    let shape = Layer.relevanceShape(of: trace.input.shape, batch: trace.input.shape[0], seeds: count)
    return Result(relevance: walk.relevance?.reshaped(to: shape) ?? Tensor(shape: shape), ledger: walk.ledger)
  }

  /// The relevance that arrives at a node's output; zeros if none does.
  package func relevance(arrivingAt id: Node.ID, from seeds: [Node.ID: Tensor], count: Int) -> Tensor {
    let shape = trace.value(of: id).shape
    return walk(seeds, count: count, keepsLedger: false, until: id).relevance
      ?? Tensor(shape: Layer.relevanceShape(of: shape, batch: trace.input.shape[0], seeds: count))
  }

  private func walk(
    _ seeds: [Node.ID: Tensor], count: Int, keepsLedger: Bool, until last: Node.ID
  ) -> (relevance: Tensor?, ledger: [LedgerEntry]) {
    let graph = plan.network.graph
    var arriving = [Tensor?](repeating: nil, count: graph.nodes.count)
    for (id, seed) in seeds { arriving[id.index] = seed }
    var ledger: [LedgerEntry] = []
    BLAS.withOneThreadPerCall {
      for assignment in plan.assignments.reversed() where assignment.site.id > last {
        let id = assignment.site.id
        guard let relevance = arriving[id.index].take() else { continue }
        let layer = Layer(site: assignment.site, seeds: count, trace: trace, denominators: denominators)
        let incoming = keepsLedger ? relevance.sum(on: trace.workers) : 0
        let shares = assignment.rule.propagate(consume relevance, through: layer)
        if keepsLedger {
          let outgoing = shares.reduce(0) { $0 + ($1?.sum(on: trace.workers) ?? 0) }
          ledger.append(
            LedgerEntry(
              node: layer.node.name, rule: assignment.rule.description, relevanceIn: incoming, relevanceOut: outgoing))
        }
        for (operand, share) in zip(layer.node.inputs, shares) {
          guard let share else { continue }
          // Taken out of the array while it grows, so that it is added to in place.
          if var sum = arriving[operand.index].take() {
            sum.add(share, on: trace.workers)
            arriving[operand.index] = sum
          } else {
            arriving[operand.index] = share
          }
        }
      }
    }
    return (arriving[last.index], ledger)
  }
}

/// What happened to relevance at one node.
public struct LedgerEntry: Sendable, Hashable {
  /// The node's name.
  public let node: String
  /// The rule, as printed in plans.
  public let rule: String
  /// The sum of the relevance that arrived at the node's output.
  public let relevanceIn: Double
  /// The sum of the relevance that left at its operands.
  public let relevanceOut: Double

  /// What did not go on: relevance at outputs whose denominator is zero, and rounding.
  public var absorbed: Double { relevanceIn - relevanceOut }
}
