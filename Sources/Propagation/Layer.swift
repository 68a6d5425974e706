import CKernels
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

  /// The node.
  public var node: Node { site.node }
  /// The values of the operands in the forward pass.
  public var operands: [Tensor] { node.inputs.map { trace.value(of: $0) } }
  /// The shapes of the operands.
  public var operandShapes: [Shape] { node.inputs.map { trace.plan.shapes[$0.index] } }
  /// The first operand.
  public var operand: Tensor { trace.value(of: node.inputs[0]) }
  /// The node's values in the forward pass.
  public var output: Tensor { trace.value(of: site.id) }
  /// Items in the batch.
  public var batch: Int { trace.input.shape[0] }

  package var kernel: any Kernel {
    guard let kernel = trace.kernel(of: site.id) else {
      preconditionFailure("relevance never reaches a node without a kernel")
    }
    return kernel
  }
  package var weighted: any WeightedKernel {
    guard let kernel = kernel as? any WeightedKernel else { preconditionFailure("node \(node.name) has no weights") }
    return kernel
  }
  package var workers: Workers { trace.workers }

  /// A tensor for the relevance of values of the given shape; its contents are undefined.
  func uninitializedRelevance(like shape: Shape) -> Tensor {
    workers.pool.tensor(Self.relevanceShape(of: shape, batch: batch, seeds: seeds))
  }

  /// The shape of relevance for values of a given shape: `seeds` items for each of the batch.
  static func relevanceShape(of shape: Shape, batch: Int, seeds: Int) -> Shape {
    if shape.rank > 0, shape[0] == batch { return shape.withBatch(batch * seeds) }
    return Shape([batch * seeds, shape.count / batch])
  }

  /// Calls `body` with runs of the relevance's elements and where the matching activations start, on all threads.
  func forEachRun(ofItems count: Int, _ body: @Sendable (_ relevance: Int, _ activation: Int, _ count: Int) -> Void) {
    let grain = 1 << 15
    let runs = (count + grain - 1) / grain
    workers.run(batch * seeds * runs) { task in
      let (item, run) = (task / runs, task % runs)
      let first = run * grain
      body(item * count + first, item / seeds * count + first, min(grain, count - first))
    }
  }
}

/// Denominators of rules, by node: they depend on the activations only, so every explanation of a trace shares them.
final class DenominatorCache: Sendable {
  private let cache = Mutex<[Node.ID: Tensor]>([:])

  func value(for id: Node.ID, make: () -> Tensor) -> Tensor {
    if let found = cache.withLock({ $0[id] }) { return found }
    let made = make()
    return cache.withLock { cache in
      if let found = cache[id] { return found }
      cache[id] = made
      return made
    }
  }
}
