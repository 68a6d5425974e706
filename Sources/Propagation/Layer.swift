import RelevanceExecution
import RelevanceNetworks
import Synchronization
import RelevanceTensors

/// A node with the activations of a run, on which a rule operates.
public struct Layer: Sendable {
  /// The properties of the node that are known before the run.
  public let site: RuleSite
  /// The number of relevance items for each item of the batch.
  public let seeds: Int
  package let trace: ForwardTrace
  let denominators: Cache<DenominatorKey, Tensor>
  /// Whether relevance is known to arrive only where a rectifier passes values.
  let isRectified: Bool
  /// The account that records absorbed relevance; nil without a ledger.
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
  /// - Complexity: O(1), unless the values of a rectifier have replaced them: then the node is computed again. Where
  ///   the shape is sufficient, use `outputShape`.
  public var output: Tensor { trace.value(of: site.id) }
  /// The number of items in the batch; 1 where the values of an item are not contiguous and the batch is treated as one
  /// item.
  public var batch: Int { trace.itemDistance(of: site.id) == nil ? trace.items : 1 }

  /// The node's values, exact where relevance can arrive.
  var relevantOutput: Tensor {
    if isStepwise { return value(by: kernel) }
    return isRectified ? trace.rectifiedValue(of: site.id) : output
  }

  /// Whether the node rounds values to integers or wraps them as integers do. Rules divide by the result without
  /// rounding and wrapping, and propagate relevance through it.
  var isStepwise: Bool { trace.kernel(of: site.id)?.withoutSteps != nil }

  /// `W⁺·x` if the forward pass has computed it; exact where relevance can arrive.
  var sideProduct: Tensor? {
    isRectified || trace.plan.sideProductScope(of: site.id) == .everywhere ? trace.sideProduct(of: site.id) : nil
  }

  package var workers: Workers { trace.workers }

  /// The shape of relevance for values of a given shape: `seeds` items for each item of the batch. Several seeds share
  /// a walk only where the first axis is the batch axis.
  static func relevanceShape(of shape: TensorShape, batch: Int, seeds: Int) -> TensorShape {
    if seeds == 1 { return shape }
    if shape.rank > 0, shape[0] == batch { return shape.withBatch(batch * seeds) }
    return TensorShape([batch * seeds, shape.count / batch])
  }

  /// Calls `body` with each run of the relevance and the position of the corresponding activations, on all threads.
  func forEachRun(ofItems count: Int, _ body: @Sendable (_ relevance: Int, _ activation: Int, _ count: Int) -> Void) {
    let runs = (count + Self.grain - 1) / Self.grain
    workers.run(batch * seeds * runs) { task in
      let (relevance, activation, count) = run(task, ofItems: count)
      body(relevance, activation, count)
    }
  }

  /// The pairs that `body` computes from runs of relevance and the corresponding activations, summed for each item of
  /// the relevance.
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

  /// The run of a task: where relevance and the corresponding activations start, and the number of elements.
  private func run(_ task: Int, ofItems count: Int) -> (relevance: Int, activation: Int, count: Int) {
    let runs = (count + Self.grain - 1) / Self.grain
    let (item, first) = (task / runs, task % runs * Self.grain)
    return (item * count + first, item / seeds * count + first, min(Self.grain, count - first))
  }

  static let grain = 1 << 15

  // MARK: The ledger

  /// Whether a ledger is kept.
  public var isBooking: Bool { account != nil }

  /// Records relevance that is absorbed at this node, and the cause; `amounts` has one entry for each item of the
  /// relevance: `seeds` for each item of the batch.
  public func book(_ cause: AbsorptionCause, _ amounts: [Double]) { account?.add(cause, amounts) }
}

/// The key of a rule's denominator. Denominators depend on the activations only, so all explanations of a trace share
/// them.
struct DenominatorKey: Hashable {
  let node: Node.ID
  /// The index of the group of contributions; other denominators of a node have negative numbers.
  let group: Int
  /// Whether the denominator is exact only where a rectifier passes values.
  let isPartial: Bool
}

extension Layer {
  /// A denominator, computed at its first use.
  func denominator(_ group: Int, isPartial: Bool = false, make: () -> Tensor) -> Tensor {
    denominators.value(for: DenominatorKey(node: site.id, group: group, isPartial: isPartial), make: make)
  }
}

/// Values that are computed at their first use.
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
