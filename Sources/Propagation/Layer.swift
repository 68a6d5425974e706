import Execution
import Networks
import Synchronization
import Tensors

/// A node with the activations of a run: what a rule works on.
public struct Layer: Sendable {
  /// What was known before the run.
  public let site: RuleSite
  /// Items of relevance for each item of the batch.
  public let seeds: Int
  package let trace: ForwardTrace
  let denominators: DenominatorCache
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
  /// Items in the batch.
  public var batch: Int { trace.items }

  /// The node's values, exact where relevance can arrive.
  var relevantOutput: Tensor {
    if isStepwise { return trace.value(of: site.id, by: kernel) }
    return isRectified ? trace.rectifiedValue(of: site.id) : output
  }

  /// Whether the node's values are rounded to integers or wrap as they do. Rules divide by, and send relevance through, what it
  /// computes without that.
  var isStepwise: Bool { trace.kernel(of: site.id)?.withoutSteps != nil }

  /// `W⁺·x` if the forward pass has left it, exact where relevance can arrive.
  var companion: Tensor? {
    isRectified || trace.plan.companionScope(of: site.id) == .everywhere ? trace.companion(of: site.id) : nil
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
    _ body: @Sendable (_ r: Elements, _ x: Elements) -> (Double, Double)
  ) -> [(Double, Double)] {
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
      parts[item * runs..<(item + 1) * runs].reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
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

/// Denominators of rules, by node: they depend on the activations only, so every explanation of a trace shares them.
final class DenominatorCache: Sendable {
  private struct Key: Hashable {
    let node: Node.ID
    let group: Int
    let isPartial: Bool
  }
  private let cache = Mutex<[Key: Tensor]>([:])

  /// Bytes of all denominators but those that are part of the run.
  func bytes(besides trace: ForwardTrace) -> Int {
    cache.withLock { cache in
      cache.values.reduce(0) { $0 + (trace.holds($1) ? 0 : $1.count * MemoryLayout<Float>.stride) }
    }
  }

  /// The denominators of a group of contributions at a node; partial ones are exact only where a rectifier lets values pass.
  func value(for id: Node.ID, group: Int, isPartial: Bool, make: () -> Tensor) -> Tensor {
    let key = Key(node: id, group: group, isPartial: isPartial)
    if let found = cache.withLock({ $0[key] }) { return found }
    let made = make()
    return cache.withLock { cache in
      if let found = cache[key] { return found }
      cache[key] = made
      return made
    }
  }
}
