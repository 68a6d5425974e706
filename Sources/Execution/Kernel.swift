import CRelevanceKernels
import RelevanceTensors

/// The computation of a node: its forward pass and, if the operator is linear, its adjoint.
///
/// A kernel is created for one node and one input shape. It keeps no state of a run.
package protocol Kernel: Sendable {
  /// y ← f(x₀, x₁, …). `output` overlaps no operand, except that elementwise functions may write to their operand.
  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers)

  /// For a node whose values change in steps, the kernel for real numbers; nil for others.
  var withoutSteps: (any Kernel)? { get }
}

extension Kernel {
  package var withoutSteps: (any Kernel)? { nil }
}

/// A kernel whose output is linear in each operand. Rules that are the adjoint itself propagate relevance through it.
package protocol LinearKernel: Kernel {
  /// gₖ ← (∂f/∂xₖ)ᵀ·s for every operand k for which `results` has memory. `s` and each result hold `seeds` adjacent
  /// items for each item of the batch.
  func adjoint(_ upstream: Floats, seeds: Int, _ results: [MutableFloats?], on workers: Workers)
}

/// A kernel that is not linear, with its derivative.
package protocol DifferentiableKernel: Kernel {
  /// c ← (∂f/∂x)ᵀ·s at the values of a run, for a node with one operand. `s` and `c` hold `seeds` adjacent items for
  /// each item of the batch.
  func derivative(_ s: Floats, at point: Linearization, _ c: MutableFloats, on workers: Workers)
}

/// A kernel that is not linear because operands are multiplied, or because some select or mix the values of others.
package protocol GuidedKernel: Kernel {
  /// gₖ ← (∂f/∂xₖ)ᵀ·s at the operands of a run, for every operand k for which `results` has memory. `s` and each result
  /// hold `seeds` adjacent items for each item of the batch.
  func adjoint(
    _ upstream: Floats, at operands: [Floats], items: Int, seeds: Int, _ results: [MutableFloats?], on workers: Workers)
}

/// The values of a run at which a kernel is differentiated; read-only.
package struct Linearization: @unchecked Sendable {
  let x: Floats
  let y: Floats
  package let count: Int
  let items: Int
  let seeds: Int

  package init(x: Floats, y: Floats, count: Int, items: Int, seeds: Int) {
    (self.x, self.y, self.count, self.items, self.seeds) = (x, y, count, items, seeds)
  }

  /// Calls `body` for each upstream item with its elements, and the elements of the operand, the output and the result.
  package func forEachItem(
    _ s: Floats, _ c: MutableFloats, on workers: Workers,
    _ body:
      @Sendable (_ s: Floats, _ x: Floats, _ y: Floats, _ c: MutableFloats) -> Void
  ) {
    let shared = Shared((s: s, c: c))
    workers.run(items * seeds) { item in
      let own = item / seeds * count
      body(shared.pointer.s + item * count, x + own, y + own, shared.pointer.c + item * count)
    }
  }
}

/// A kernel whose outputs each combine some elements of the operand: their maximum, sum or mean.
package protocol PoolingKernel: Kernel {
  var pooled: PooledElements { get }
}

/// The elements of an operand that each output of a pool combines.
package enum PooledElements: Sendable {
  /// The elements under a window that slides over the planes of a shape.
  case windows(rk_window, over: TensorShape)
  /// The elements along some axes of a shape.
  case axes(Set<Int>, of: TensorShape)
}

/// The memory to which a weighted layer writes `W⁺·x`.
package struct SideProduct {
  let product: MutableFloats
  let scope: Scope

  /// The outputs at which `W⁺·x` must be exact.
  package enum Scope: Hashable, Sendable {
    case everywhere
    /// Positive outputs only: no relevance arrives at others.
    case positiveOutputs
  }

  package init(_ product: MutableFloats, scope: Scope) {
    (self.product, self.scope) = (product, scope)
  }
}

/// A linear map for each part of some weights, with its adjoint.
package protocol WeightedMap: Sendable {
  var inputShape: TensorShape { get }
  var outputShape: TensorShape { get }

  /// The bias that is added to the products: element `i` of an item of the output has the bias `values[i / run %
  /// values.count]`.
  var bias: (values: Tensor, run: Int)? { get }

  /// Whether the node's values are `W·x` plus the biases.
  var givesValues: Bool { get }

  /// y ← Σₖ partₖ(W)·xₖ, without bias.
  func product(_ terms: [(part: WeightPart, x: Floats)], _ y: MutableFloats, on workers: Workers)

  /// c ← Σₖ factorₖ ⊙ partₖ(W)ᵀ·s; a factor that is nil is 1.
  func adjoint(
    _ terms: [(part: WeightPart, factor: Floats?)], _ s: Floats, seeds: Int,
    _ c: MutableFloats, on workers: Workers)
}

/// A kernel with weights: a convolution or a fully connected layer. Without its bias it is a map with weights.
package protocol WeightedKernel: Kernel, WeightedMap {
  /// The work of `W·x` as `forward` computes it; nil if unknown.
  var work: LayerWork? { get }
  /// The work of `Wᵀ·s` for one seed as `adjoint` computes it; nil if unknown.
  var adjointWork: LayerWork? { get }
  /// The work of `part(W)·x` as `product` computes it; nil if unknown.
  var productWork: LayerWork? { get }

  /// y ← W·x + b, then max(0, y) if `rectifies`. With `sideProduct`, also side product ← W⁺·x without bias; the data
  /// are laid out only once for both. `followers` are applied to each part of y when it is complete.
  func forward(
    _ x: Floats, _ y: MutableFloats, rectifies: Bool, sideProduct: SideProduct?, followers: Followers,
    on workers: Workers)

  /// y ← part(W)·x, or y ← y + part(W)·x, without bias.
  func product(_ part: WeightPart, _ x: Floats, _ y: MutableFloats, accumulates: Bool, on workers: Workers)

  /// c ← part(W)ᵀ·s, and, if `factor` is given, c ← factor ⊙ c. `s` and `c` hold `seeds` items for each item of the
  /// batch.
  func adjoint(_ part: WeightPart, _ s: Floats, seeds: Int, _ c: MutableFloats, factor: Floats?, on workers: Workers)
}

extension WeightedKernel {
  package var givesValues: Bool { true }

  package func product(_ terms: [(part: WeightPart, x: Floats)], _ y: MutableFloats, on workers: Workers) {
    for (index, term) in terms.enumerated() { product(term.part, term.x, y, accumulates: index > 0, on: workers) }
  }

  package func adjoint(
    _ terms: [(part: WeightPart, factor: Floats?)], _ s: Floats, seeds: Int, _ c: MutableFloats, on workers: Workers
  ) {
    adjointOneByOne(terms, s, seeds: seeds, c, on: workers)
  }

  /// The sum of the terms' adjoints, one product after the other.
  func adjointOneByOne(
    _ terms: [(part: WeightPart, factor: Floats?)], _ s: Floats, seeds: Int, _ c: MutableFloats, on workers: Workers
  ) {
    guard let first = terms.first else { return }
    adjoint(first.part, s, seeds: seeds, c, factor: first.factor, on: workers)
    guard terms.count > 1 else { return }
    let summand = workers.pool.storage(count: inputShape.count * seeds)
    let shared = Shared((c: c, summand: summand.base))
    for term in terms.dropFirst() {
      adjoint(term.part, s, seeds: seeds, summand.base, factor: term.factor, on: workers)
      workers.runSplit(summand.count) { run in
        let (c, summand) = shared.pointer
        rk_add(c + run.lowerBound, c + run.lowerBound, summand + run.lowerBound, run.count)
      }
    }
  }

  package func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    forward(operands[0], output, rectifies: false, sideProduct: nil, on: workers)
  }

  package func forward(
    _ x: Floats, _ y: MutableFloats, rectifies: Bool, sideProduct: SideProduct?, on workers: Workers
  ) {
    forward(x, y, rectifies: rectifies, sideProduct: sideProduct, followers: .none, on: workers)
  }
}
