import Execution
import Foundation
import Networks
import Propagation
import Synchronization
import Tensors

/// Explains the decisions of one network under one rule table. Immutable; safe to share between threads.
public struct Explainer: Sendable {
  /// The rule of every node, resolved from the table.
  public let plan: RulePlan
  package let executor: Executor
  /// Bytes that relevance may take while several targets are propagated together.
  let memoryBudget: Int
  private let plans = PlanCache()

  /// Resolves a rule table for a network.
  ///
  /// - Parameters:
  ///   - network: what is explained.
  ///   - rules: the table.
  ///   - threads: how many threads a run uses; nil means one per processor.
  ///   - convolution: how convolutions are computed.
  ///   - memoryBudget: bytes that relevance may take while several targets are propagated together; more targets than fit
  ///     are propagated group by group. One target is always propagated.
  /// - Throws: `RuleTableError` if the table does not fit the network.
  public init(
    _ network: Network, rules: RuleTable, threads: Int? = nil, convolution: ConvolutionAlgorithm = .automatic,
    memoryBudget: Int = 1 << 30
  ) throws {
    plan = try rules.resolve(for: network)
    executor = Executor(network, threads: threads, convolution: convolution)
    self.memoryBudget = memoryBudget
  }

  /// The network.
  public var network: Network { plan.network }
  /// How many threads a run uses.
  public var threads: Int { executor.threads }

  /// Runs the network and records what explanations need. A trace is recorded once and explained as often as one likes.
  ///
  /// - Parameter input: a preprocessed image, 1 × channels × height × width, or a batch of them.
  /// - Throws: `GraphError` if the shape does not fit the network; `ExecutionError` if input or logits are NaN or infinite, if the
  ///   values do not fit memory, or if a window slides over more than two axes.
  public func trace(_ input: Tensor) throws -> Trace { try trace(input, clock: nil) }

  /// The same; `clock` is told what nodes take.
  package func trace(_ input: Tensor, clock: NodeClock?) throws -> Trace {
    Trace(try executor.trace(input, companions: plan.companions, clock: clock), explainer: self)
  }

  /// The logits of each of some inputs of one shape, 1 × classes: as many at a time as fit into the memory budget, or one by one if
  /// the network does not take batches.
  package func logits(of inputs: [Tensor]) throws -> [Tensor] {
    guard let shape = inputs.first?.shape else { return [] }
    let single = try executor.plan(shape).shapes
    let perItem = single.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.size
    var size = min(inputs.count, max(1, memoryBudget / max(perItem, 1)), Self.inputsTogether)
    // Constants in the graph may know the batch.
    let logits = single[network.logits.index]
    if size > 1, (try? executor.plan(shape.withBatch(size)))?.shapes[network.logits.index] != logits.withBatch(size) {
      size = 1
    }
    return try stride(from: 0, to: inputs.count, by: size).flatMap { start in
      let some = Array(inputs[start..<min(start + size, inputs.count)])
      let values = try executor.logits(Tensor(joining: some)).reshaped(to: [some.count, logits.count])
      return some.indices.map { values.item($0) }
    }
  }

  /// More inputs than this in one run gain nothing.
  private static let inputsTogether = 16

  /// The plan of a method's table.
  func plan(for table: Method.Table) throws -> RulePlan {
    switch table {
    case .explainers: plan
    case .excitation: try plans.plan(for: table) { try RuleTable.excitation.resolve(for: network) }
    case .gradient(let rectifier):
      try plans.plan(for: table) { try RuleTable.gradient(rectifier).resolve(for: network) }
    }
  }

  /// The plans of tables that methods bring, made when one is first asked for.
  private final class PlanCache: Sendable {
    private let plans = Mutex<[Method.Table: RulePlan]>([:])

    func plan(for table: Method.Table, make: () throws -> RulePlan) throws -> RulePlan {
      if let found = plans.withLock({ $0[table] }) { return found }
      let made = try make()
      plans.withLock { $0[table] = made }
      return made
    }
  }
}

extension RuleTable {
  /// Excitation backpropagation as *Zhang16* defines it: z⁺ everywhere, biases bypassed.
  static let excitation = RuleTable(name: "excitation") {
    Row(.operators(.conv, .gemm, .convTranspose), ZPlus())
    RuleTable.excitationBackprop
  }
}

/// One recorded run of a network: activations and denominators, from which any number of targets is explained.
public struct Trace: Sendable {
  /// The values that are explained, before a final softmax: batch × classes.
  public let logits: Tensor
  let explainer: Explainer
  private(set) var propagator: Propagator
  private let propagators = PropagatorCache()

  init(_ forward: ForwardTrace, explainer: Explainer) {
    self.explainer = explainer
    propagator = Propagator(plan: explainer.plan, trace: forward)
    let batch = forward.input.shape[0]
    let values = forward.value(of: explainer.network.logits)
    logits = values.reshaped(to: [batch, values.count / max(batch, 1)]).map { $0 }
  }

  /// The rule of every node.
  public var plan: RulePlan { explainer.plan }
  /// The input that was run.
  public var input: Tensor { forward.input }
  /// The number of classes.
  public var classes: Int { logits.shape[1] }
  /// Items in the batch.
  public var batch: Int { logits.shape[0] }
  var forward: ForwardTrace { propagator.trace }

  /// The classes of an item of the batch by falling logit, with their probabilities; equal ones by number.
  ///
  /// - Complexity: O(classes log classes).
  public func predictions(item: Int = 0) -> [Prediction] {
    Prediction.ranking(logits, item: item, areIndependent: plan.network.hasIndependentClasses)
  }

  /// How relevance goes back by a method's table.
  func propagator(for table: Method.Table) throws -> Propagator {
    if table == .explainers { return propagator }
    var found = try propagators.propagator(for: table) {
      Propagator(plan: try explainer.plan(for: table), trace: forward)
    }
    found.clock = propagator.clock
    return found
  }

  /// The same trace, the walks of which tell `clock` what nodes take.
  package func timed(by clock: NodeClock?) -> Trace {
    var copy = self
    copy.propagator.clock = clock
    return copy
  }

  /// What a trace takes in memory.
  package struct Bytes: Sendable {
    /// The values of nodes.
    package let values: Int
    /// Products `W⁺·x` that were computed beside them.
    package let companions: Int
    /// Other denominators of the explanations so far.
    package let denominators: Int
  }

  /// What the trace takes in memory.
  package var bytes: Bytes {
    let products = plan.companions.keys.map { forward.companion(of: $0)?.count ?? 0 }.reduce(0, +)
    let companions = products * MemoryLayout<Float>.stride
    return Bytes(
      values: forward.bytes - companions, companions: companions,
      denominators: propagators.all.reduce(propagator.denominatorBytes) { $0 + $1.denominatorBytes })
  }

  /// The propagators of tables that methods bring: each keeps its denominators.
  private final class PropagatorCache: Sendable {
    private let propagators = Mutex<[Method.Table: Propagator]>([:])

    var all: [Propagator] { propagators.withLock { Array($0.values) } }

    func propagator(for table: Method.Table, make: () throws -> Propagator) throws -> Propagator {
      if let found = propagators.withLock({ $0[table] }) { return found }
      let made = try make()
      propagators.withLock { $0[table] = made }
      return made
    }
  }
}

/// A class and how strongly the network votes for it.
public struct Prediction: Sendable, Hashable {
  /// The class, from 0.
  public let classIndex: Int
  /// Its logit.
  public let logit: Float
  /// Its softmax probability; the sigmoid of the logit where classes are independent.
  public let probability: Double

  /// The classes of an item of a batch by falling logit; equal ones by number. The first axis of `logits` is the batch.
  ///
  /// - Parameters:
  ///   - logits: batch × classes.
  ///   - item: which item of the batch.
  ///   - areIndependent: whether each class is decided by itself; see `Network.hasIndependentClasses`.
  /// - Complexity: O(classes log classes).
  public static func ranking(_ logits: Tensor, item: Int = 0, areIndependent: Bool = false) -> [Prediction] {
    let row = row(of: logits, item)
    let probabilities =
      areIndependent ? row.map { 1 / (1 + exp(-Double($0))) } : probabilities(logits, item: item)
    return zip(row.indices, probabilities)
      .map { Prediction(classIndex: $0, logit: row[$0], probability: $1) }
      .sorted { ($1.logit, $0.classIndex) < ($0.logit, $1.classIndex) }
  }

  /// The softmax of an item of a batch.
  package static func probabilities(_ logits: Tensor, item: Int = 0) -> [Double] {
    let row = row(of: logits, item)
    let largest = row.max() ?? 0
    let exponentials = row.map { exp(Double($0 - largest)) }
    let sum = exponentials.reduce(0, +)
    return exponentials.map { $0 / sum }
  }

  private static func row(of logits: Tensor, _ item: Int) -> [Float] {
    let classes = logits.count / logits.shape[0]
    return Array(logits.elements[item * classes..<(item + 1) * classes])
  }
}
