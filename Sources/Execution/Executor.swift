import Foundation
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// Runs a network: owns the plans, the threads and the memory that runs share.
///
/// Safe to use from several threads at once.
public final class Executor: Sendable {
  /// The network.
  public let network: NeuralNetwork
  /// How many threads a run uses.
  public let threads: Int
  package let workers: Workers
  private let weights: WeightLibrary
  private let plans = Cache<PlanKey, ExecutionPlan>(limit: 32)

  private struct PlanKey: Hashable {
    let shape: TensorShape
    let purpose: Placement.Purpose
  }

  /// How convolutions are computed.
  public let convolution: ConvolutionAlgorithm

  /// What is wrong with the number of threads, or the instruction set: runs throw it.
  private let fault: (any RelevanceKitError)?

  /// Which vector units are used.
  public var instructionSet: InstructionSet { workers.instructionSet }

  /// Prepares to run a network on `threads` threads, a number from 1 to 1024, of which at most four per processor, or 16, are used; nil
  /// means one per processor, or as many as the address space has room for. `instructionSet` says which vector units to use, nil the
  /// preferred ones. Weights that are laid out for the package's loops are kept up to `weightBudget` bytes; others are laid out anew at
  /// each use. Runs throw if the number is another, if there is no room, or if the processor lacks the instruction set.
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

  /// The logits of a batch of inputs.
  ///
  /// - Parameter input: the shape that the network declares, usually batch × channels × height × width.
  /// - Returns: the logits' node's values, usually batch × classes.
  /// - Throws: `RelevanceKitError` if the shape does not fit, if input or result is NaN or infinite, if values or threads do not fit
  ///   memory, or if a window slides over more than two axes.
  public func logits(_ input: Tensor) throws -> Tensor {
    // A copy, so that the run's memory can be used again.
    try run(input, for: .logits).value(of: network.logits).map { $0 }
  }

  package func plan(_ shape: TensorShape, sideProducts: [Node.ID: SideProduct.Scope] = [:]) throws -> ExecutionPlan {
    try plan(shape, for: .trace(sideProducts: sideProducts))
  }

  /// How the logits are arranged for an input of a shape, and what they decide.
  ///
  /// - Throws: `RelevanceKitError` if the shape does not fit, if the values do not fit memory, or if a window slides over more
  ///   than two axes.
  public func scoreLayout(forInput shape: TensorShape) throws -> ScoreLayout { try plan(shape, for: .logits).layout }

  /// Floats that the values of a prediction take at most.
  package func predictionMemory(_ shape: TensorShape) throws -> Int { try plan(shape, for: .logits).memory }

  private func plan(_ shape: TensorShape, for purpose: Placement.Purpose) throws -> ExecutionPlan {
    try plans.value(for: PlanKey(shape: shape, purpose: purpose)) {
      try ExecutionPlan(network, inputShape: shape, for: purpose, weights: weights, algorithm: convolution)
    }
  }

  /// Runs the network and keeps every node's value. Nodes in `sideProducts` also compute `W⁺·x`; `clock` is told what nodes
  /// take.
  package func trace(
    _ input: Tensor, sideProducts: [Node.ID: SideProduct.Scope] = [:], clock: NodeClock? = nil
  ) throws -> ForwardTrace {
    try run(input, for: .trace(sideProducts: sideProducts), clock: clock)
  }

  /// - Throws: `RelevanceKitError` if the number of threads is none, or more than the address space has room for, or if the processor
  ///   lacks the instruction set.
  package func checkThreads() throws { if let fault { throw fault } }

  private func run(_ input: Tensor, for purpose: Placement.Purpose, clock: NodeClock? = nil) throws -> ForwardTrace {
    try checkThreads()
    // Looked at first, since rectifiers swallow NaN.
    try check(input, of: network.input)
    let trace = try plan(input.shape, for: purpose).run(input, on: workers, clock: clock)
    try check(trace.value(of: network.logits), of: network.logits)
    return trace
  }

  /// Bytes of weights in the layouts that kernels have made of the model's so far.
  package var derivedWeightBytes: Int { weights.bytes }

  private func check(_ value: Tensor, of id: Node.ID) throws {
    guard value.isFinite else { throw ExecutionError.notFinite(node: network.graph[id].name) }
  }
}
