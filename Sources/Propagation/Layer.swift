import RelevanceExecution
import RelevanceNetworks
import Synchronization
import RelevanceTensors

/// A node with the activations of a run: what a rule works on.
public struct Layer: Sendable {
  /// What was known before the run.
  public let site: RuleSite
  /// Items of relevance for each item of the batch.
  public let seeds: Int
  package let trace: ForwardTrace
  let denominators: Cache<DenominatorKey, Tensor>
  /// Whether relevance is known to arrive only where a rectifier lets values pass.
  let isRectified: Bool
  /// Where losses are booked; nil if nobody asked for a ledger.
  let account: LayerAccount?
  let clock: NodeClock?

  /// The node.
  public var node: Node { site.node }
  /// The values of the operands in the forward pass.
  ///
  /// - Complexity: O(operands).
  public var operands: [Tensor] { node.inputs.map { trace.value(of: $0) } }
  /// The shapes of the operands.
  ///
  /// - Complexity: O(operands).
  public var operandShapes: [TensorShape] { node.inputs.map { trace.shape(of: $0) } }
  /// The shape of the first operand.
  public var operandShape: TensorShape { trace.shape(of: node.inputs[0]) }
  /// The first operand.
  public var operand: Tensor { trace.value(of: node.inputs[0]) }
  /// The shape of the node's values.
  public var outputShape: TensorShape { trace.shape(of: site.id) }
  /// The node's values in the forward pass.
  ///
  /// - Complexity: O(1), unless a rectifier has taken their place: then the node is computed anew. Where the shape is enough,
  ///   `outputShape` is free.
  public var output: Tensor { trace.value(of: site.id) }
  /// Items in the batch; 1 where their values do not follow one another, and are taken for those of one item.
  public var batch: Int { trace.itemDistance(of: site.id) == nil ? trace.items : 1 }

  /// The node's values, exact where relevance can arrive.
  var relevantOutput: Tensor {
    if isStepwise { return value(by: kernel) }
    return isRectified ? trace.rectifiedValue(of: site.id) : output
  }

  /// Whether the node's values are rounded to integers or wrap as they do. Rules divide by, and send relevance through, what it
  /// computes without that.
  var isStepwise: Bool { trace.kernel(of: site.id)?.withoutSteps != nil }

  /// `W⁺·x` if the forward pass has left it, exact where relevance can arrive.
  var sideProduct: Tensor? {
    isRectified || trace.plan.sideProductScope(of: site.id) == .everywhere ? trace.sideProduct(of: site.id) : nil
  }

  package var workers: Workers { trace.workers }

  /// The shape of relevance for values of a given shape: `seeds` items for each of the batch. Several seeds share a walk only where
  /// the first axis counts items.
  static func relevanceShape(of shape: TensorShape, batch: Int, seeds: Int) -> TensorShape {
    if seeds == 1 { return shape }
    if shape.rank > 0, shape[0] == batch { return shape.withBatch(batch * seeds) }
    return TensorShape([batch * seeds, shape.count / batch])
  }

  /// Calls `body` with runs of the relevance's elements and where the matching activations start, on all threads.
  func forEachRun(ofItems count: Int, _ body: @Sendable (_ relevance: Int, _ activation: Int, _ count: Int) -> Void) {
    let runs = (count + Self.grain - 1) / Self.grain
    workers.run(batch * seeds * runs) { task in
      let (relevance, activation, count) = run(task, ofItems: count)
      body(relevance, activation, count)
    }
  }

  /// Pairs of sums for each item of the relevance, of what `body` gives for its runs and the activations that belong to them.
  func sums(
    of relevance: Tensor, beside activations: Tensor? = nil,
    _ body: @Sendable (_ r: Elements, _ x: Elements) -> SIMD2<Double>
  ) -> [SIMD2<Double>] {
    let r = relevance.view
    let count = r.count / (batch * seeds)
    let runs = (count + Self.grain - 1) / Self.grain
    let x = activations?.view
    let parts = workers.map(batch * seeds * runs) { task in
      let (at, activation, length) = run(task, ofItems: count)
      let own = r.run(from: at, count: length)
      return body(own, x?.run(from: activation, count: length) ?? own)
    }
    return (0..<batch * seeds).map { item in
      parts[item * runs..<(item + 1) * runs].reduce(.zero, +)
    }
  }

  /// The sum of each item of a tensor of relevance.
  public func sums(of relevance: Tensor) -> [Double] {
    let count = relevance.count / (batch * seeds)
    return (0..<batch * seeds).map { relevance.view.run(from: $0 * count, count: count).sum }
  }

  /// The run of a task: where relevance and the activations that belong to it start, and how many there are.
  private func run(_ task: Int, ofItems count: Int) -> (relevance: Int, activation: Int, count: Int) {
    let runs = (count + Self.grain - 1) / Self.grain
    let (item, first) = (task / runs, task % runs * Self.grain)
    return (item * count + first, item / seeds * count + first, min(Self.grain, count - first))
  }

  static let grain = 1 << 15

  // MARK: The ledger

  /// Whether somebody wants to know where relevance goes.
  public var isBooking: Bool { account != nil }

  /// Tells the ledger that relevance stays here, and why; of `amounts` there is one for each item of the relevance: `seeds` for
  /// each item of the batch.
  public func book(_ cause: AbsorptionCause, _ amounts: [Double]) { account?.add(cause, amounts) }
}

/// What denominators of rules are kept by; they depend on the activations only, so every explanation of a trace shares them.
struct DenominatorKey: Hashable {
  let node: Node.ID
  /// The number of the group of contributions; other denominators of a node have negative ones.
  let group: Int
  /// Whether they are exact only where a rectifier lets values pass.
  let isPartial: Bool
}

extension Layer {
  /// A denominator, made when it is first asked for.
  func denominator(_ group: Int, isPartial: Bool = false, make: () -> Tensor) -> Tensor {
    denominators.value(for: DenominatorKey(node: site.id, group: group, isPartial: isPartial), make: make)
  }
}

/// What is made when it is first asked for.
package final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let values = Mutex<[Key: Value]>([:])
  package init() {}
  package var all: [Value] { values.withLock { Array($0.values) } }

  package func value(for key: Key, make: () throws -> Value) rethrows -> Value {
    if let found = values.withLock({ $0[key] }) { return found }
    let made = try make()
    return values.withLock { values in
      if let found = values[key] { return found }
      values[key] = made
      return made
    }
  }
}
