import Foundation
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// Runs a network. It owns the plans, threads and memory that runs share.
///
/// An executor can be used from several threads at once.
public final class Executor: Sendable {
  /// The network.
  public let network: NeuralNetwork
  /// The number of threads that a run uses.
  public let threads: Int
  package let workers: Workers
  private let weights: WeightLibrary
  private let plans = Cache<PlanKey, ExecutionPlan>(limit: 32)

  private struct PlanKey: Hashable {
    let shape: TensorShape
    let purpose: Placement.Purpose
  }

  /// The algorithm for convolutions.
  public let convolution: ConvolutionAlgorithm

  /// An error in the number of threads or the instruction set, which runs throw.
  private let fault: (any RelevanceKitError)?

  /// The vector units that are used.
  public var instructionSet: InstructionSet { workers.instructionSet }

  /// Creates an executor for a network.
  ///
  /// Runs throw an error if the number of threads is out of range, if the address space is too small for them, or if
  /// the processor does not support the instruction set.
  ///
  /// - Parameters:
  ///   - network: the network to run.
  ///   - threads: the number of threads, from 1 to 1024, of which at most four per processor (or 16) are used; nil
  ///     means one per processor, or as many as fit the address space.
  ///   - convolution: the algorithm for convolutions.
  ///   - instructionSet: the vector units to use; nil means the preferred ones.
  ///   - weightBudget: the size in bytes up to which weights in the layouts of the package's kernels are kept; other
  ///     weights are laid out at each use.
  public init(
    _ network: NeuralNetwork, threads: Int? = nil, convolution: ConvolutionAlgorithm = .automatic,
    instructionSet: InstructionSet? = nil, weightBudget: Int = 1 << 30
  ) {
    (self.network, self.convolution) = (network, convolution)
    let (count, fault) = ThreadLimit.count(for: threads)
    let (instructionSet, otherFault) = InstructionSet.choice(for: instructionSet)
    self.fault = fault ?? otherFault
    workers = Workers(count: count, pool: MemoryPool(), instructionSet: instructionSet)
    self.threads = workers.count
    weights = WeightLibrary(nodes: network.graph.nodes.count, budget: weightBudget)
  }

  /// Computes the logits of a batch of inputs.
  ///
  /// - Parameter input: a tensor with the shape that the network declares, usually batch × channels × height × width.
  /// - Returns: the values of the logits' node, usually batch × classes.
  /// - Throws: `RelevanceKitError` if the network does not accept the shape, if the input or the result is NaN or
  ///   infinite, if the values or threads do not fit into memory, or if a window slides over more than two axes.
  public func logits(_ input: Tensor) throws -> Tensor {
    // A copy, so that the memory of the run can be reused.
    let trace = try run(input, for: .logits)
    return trace.value(of: trace.plan.network.logits).map { $0 }
  }

  package func plan(_ shape: TensorShape, sideProducts: [Node.ID: SideProduct.Scope] = [:]) throws -> ExecutionPlan {
    try plan(shape, for: .trace(sideProducts: sideProducts))
  }

  /// How the logits are arranged for an input shape, and what they classify.
  ///
  /// - Throws: `RelevanceKitError` if the network does not accept the shape, if the values do not fit into memory, or
  ///   if a window slides over more than two axes.
  public func scoreLayout(forInput shape: TensorShape) throws -> ScoreLayout { try plan(shape, for: .logits).layout }

  /// The largest number of floats that the values of a prediction need.
  package func predictionMemory(_ shape: TensorShape) throws -> Int { try plan(shape, for: .logits).memory }

  private func plan(_ shape: TensorShape, for purpose: Placement.Purpose) throws -> ExecutionPlan {
    try plans.value(for: PlanKey(shape: shape, purpose: purpose)) {
      try ExecutionPlan(network, inputShape: shape, for: purpose, weights: weights, algorithm: convolution)
    }
  }

  /// Runs the network and keeps the values of all nodes. Nodes in `sideProducts` also compute `W⁺·x`; `clock` records
  /// the time of each node.
  package func trace(
    _ input: Tensor, sideProducts: [Node.ID: SideProduct.Scope] = [:], clock: NodeClock? = nil
  ) throws -> ForwardTrace {
    try run(input, for: .trace(sideProducts: sideProducts), clock: clock)
  }

  /// - Throws: `RelevanceKitError` if the number of threads is out of range or does not fit the address space, or if
  ///   the processor does not support the instruction set.
  package func checkThreads() throws { if let fault { throw fault } }

  private func run(_ input: Tensor, for purpose: Placement.Purpose, clock: NodeClock? = nil) throws -> ForwardTrace {
    try checkThreads()
    // Checked first, because rectifiers replace NaN by 0.
    guard input.isFinite else { throw notFinite(network.input) }
    let trace = try plan(input.shape, for: purpose).run(input, on: workers, clock: clock)
    guard trace.value(of: trace.plan.network.logits).isFinite else { throw notFinite(network.logits) }
    return trace
  }

  /// The size in bytes of the weights that have been laid out for kernels so far.
  package var derivedWeightBytes: Int { weights.bytes }

  private func notFinite(_ id: Node.ID) -> ExecutionError { .notFinite(node: network.graph[id].name) }
}
