import RelevanceKit

/// A run of a network with a rule table, and backward passes from a test's own seeds.
package struct Walk {
  package let network: NeuralNetwork
  package let plan: RulePlan
  package let trace: ForwardTrace
  package let propagator: Propagator

  package init(_ network: NeuralNetwork, _ table: RuleTable, _ input: Tensor, threads: Int = 2) throws {
    plan = try table.resolve(for: network)
    self.network = network
    trace = try Executor(network, threads: threads).trace(input, sideProducts: plan.sideProducts)
    propagator = Propagator(plan: plan, trace: trace)
  }

  /// Runs a sample network with the default table.
  package init(_ network: NeuralNetwork, _ input: Tensor) throws {
    try self.init(network, .default(pixelRange: SampleNetwork.range), input)
  }

  /// The node with a name; traps if there is none.
  package func node(_ name: String) -> Node.ID {
    guard let id = network.graph.node(named: name) else { preconditionFailure("no node is named \(name)") }
    return id
  }

  /// The relevance that `count` seeds at a node propagate to the input, or to another node.
  package func relevance(from node: String, _ seed: Tensor, count: Int = 1, to other: String? = nil) -> Tensor {
    let seeds = [self.node(node): seed]
    if let other { return propagator.relevance(arrivingAt: self.node(other), from: seeds, count: count) }
    return propagator.propagate(seeds, count: count, keepsLedger: false).relevance
  }

  /// The ledger of the same backward pass.
  package func ledger(from node: String, _ seed: Tensor, count: Int = 1) -> [LedgerEntry] {
    propagator.propagate([self.node(node): seed], count: count, keepsLedger: true).ledgers[0]
  }

  /// A node's values.
  package func value(_ name: String) -> Tensor { trace.value(of: node(name)) }
}
