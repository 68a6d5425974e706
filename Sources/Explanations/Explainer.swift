import Execution
import Foundation
import Networks
import Propagation
import Tensors

/// Explains the decisions of one network under one rule table. Immutable; safe to share between threads.
public struct Explainer: Sendable {
  /// The rule of every node, resolved from the table.
  public let plan: RulePlan
  private let executor: Executor

  /// Resolves a rule table for a network.
  ///
  /// - Parameters:
  ///   - threads: how many threads a run uses; nil means one per processor.
  ///   - convolution: how convolutions are computed.
  /// - Throws: `RuleTableError` if the table does not fit the network.
  public init(
    _ network: Network, rules: RuleTable, threads: Int? = nil, convolution: ConvolutionAlgorithm = .automatic
  ) throws {
    plan = try rules.resolve(for: network)
    executor = Executor(network, threads: threads, convolution: convolution)
  }

  /// The network.
  public var network: Network { plan.network }
  /// How many threads a run uses.
  public var threads: Int { executor.threads }

  /// Runs the network and records what explanations need. A trace is recorded once and explained as often as one likes.
  ///
  /// - Parameter input: a preprocessed image, 1 × channels × height × width, or a batch of them.
  /// - Throws: `GraphError` if the shape does not fit the network, `ExecutionError.notFinite` if logits are not finite.
  public func trace(_ input: Tensor) throws -> Trace {
    Trace(try executor.trace(input, companions: plan.companions), plan: plan)
  }
}

/// One recorded run of a network: activations and denominators, from which any number of targets is explained.
public struct Trace: Sendable {
  /// The rule of every node.
  public let plan: RulePlan
  /// The values that are explained, before a final softmax: batch × classes.
  public let logits: Tensor
  let propagator: Propagator

  init(_ forward: ForwardTrace, plan: RulePlan) {
    self.plan = plan
    propagator = Propagator(plan: plan, trace: forward)
    let batch = forward.input.shape[0]
    let values = forward.value(of: plan.network.logits)
    logits = values.reshaped(to: [batch, values.count / max(batch, 1)]).map { $0 }
  }

  /// The input that was run.
  public var input: Tensor { propagator.trace.input }
  /// The number of classes.
  public var classes: Int { logits.shape[1] }
  /// Items in the batch.
  public var batch: Int { logits.shape[0] }

  /// The classes of an item of the batch by falling logit, with their softmax probabilities; equal ones by number.
  public func predictions(item: Int = 0) -> [Prediction] { Prediction.ranking(logits, item: item) }

  /// Explains one class; see `explain(_:by:ledger:)` for several.
  public func explain(_ target: Target, by method: Method = .lrp, ledger: Bool = true) throws -> Explanation {
    try explain([target], by: method, ledger: ledger)[0]
  }

  /// Explains several classes in one pass: they share all denominators and are propagated together.
  ///
  /// - Parameter ledger: whether the relevance at every node is summed up, at the price of reading it twice more.
  /// - Throws: `ExplanationError` for a class that does not exist, or a method that the network does not allow.
  /// - Complexity: one backward pass per target.
  public func explain(_ targets: [Target], by method: Method = .lrp, ledger: Bool = true) throws -> [Explanation] {
    guard !targets.isEmpty else { return [] }
    try check(targets)
    let seeds = try method.seeds(for: targets, in: self)
    let result = propagator.propagate(seeds, count: targets.count, keepsLedger: ledger)
    return targets.enumerated().map { number, target in
      let items = (0..<batch).map { result.relevance.item($0 * targets.count + number) }
      let signed = Tensor(joining: items)
      var entries = ledger ? result.ledgers[number] : []
      if ledger && method.isContrastive {
        let name = plan.network.graph[plan.network.input].name
        entries.append(LedgerEntry(clipping: signed, to: signed.positivePart, of: name))
      }
      return Explanation(
        target: target, method: method, scores: (0..<batch).map { logits[$0, target.classIndex] },
        signedRelevance: signed, ledger: Ledger(entries))
    }
  }

  /// - Throws: `ExplanationError.noSuchClass` unless all targets are among the logits.
  func check(_ targets: [Target]) throws {
    for case .class(let index) in targets where !(0..<classes).contains(index) {
      throw ExplanationError.noSuchClass(index, classes: classes)
    }
  }
}

/// A class and how strongly the network votes for it.
public struct Prediction: Sendable, Hashable {
  /// The class, from 0.
  public let classIndex: Int
  /// Its logit.
  public let logit: Float
  /// Its softmax probability.
  public let probability: Double

  /// The classes of an item of a batch by falling logit; equal ones by number.
  ///
  /// - Parameter logits: batch × classes, or any shape whose first axis is the batch.
  public static func ranking(_ logits: Tensor, item: Int = 0) -> [Prediction] {
    let classes = logits.count / logits.shape[0]
    let row = Array(logits.elements[item * classes..<(item + 1) * classes])
    let largest = row.max() ?? 0
    let exponentials = row.map { exp(Double($0 - largest)) }
    let sum = exponentials.reduce(0, +)
    return row.indices.map { Prediction(classIndex: $0, logit: row[$0], probability: exponentials[$0] / sum) }
      .sorted { ($1.logit, $0.classIndex) < ($0.logit, $1.classIndex) }
  }
}
