import Foundation
import Networks
import Propagation
import Tensors

extension Trace {
  /// The gradients of targets at another input.
  private func gradients(of targets: [Target], at input: Tensor) throws -> [Tensor] {
    let other = try explainer.trace(input).timed(by: propagator.clock)
    return try other.propagated(targets, by: .gradient, ledger: false).map(\.values)
  }

  /// `(x − x₀) ⊙ 1/n Σ_k ∂y/∂x (x₀ + (k + ½)/n (x − x₀))`, and what its sum is short of `y(x) − y(x₀)`.
  func integratedGradients(of targets: [Target], from baseline: Float, steps: Int) throws -> [Map] {
    precondition(steps > 0, "\(steps) steps")
    var sums = targets.map { _ in Tensor(shape: input.shape) }
    for step in 0..<steps {
      let part = (Float(step) + 0.5) / Float(steps)
      let gradients = try gradients(of: targets, at: input.map { baseline + part * ($0 - baseline) })
      sums = zip(sums, gradients).map { $0.combined(with: $1, +) }
    }
    let start = try explainer.trace(input.map { _ in baseline })
    return try zip(targets, sums).map { target, sum in
      var map = Map(sum.combined(with: input) { $0 / Float(steps) * ($1 - baseline) })
      let (here, there) = (try Site(of: target, in: self), try Site(of: target, in: start))
      map.completenessErrors = (0..<batch).map { item in
        here.score(in: self, item: item) - there.score(in: start, item: item)
          - Float(map.values.part(item, of: batch).sum())
      }
      return map
    }
  }

  /// SmoothGrad with noise of one's own: one tensor or more, of the input's shape. *Smilkov17*.
  ///
  /// - Returns: the mean gradient, of the input's shape.
  /// - Throws: As `explain(_:by:ledger:)`.
  /// - Complexity: one run of the network and one backward pass per tensor of noise.
  public func smoothGradient(of target: Target, noise: [Tensor]) throws -> Tensor {
    try smoothGradients(of: [target], noise: noise)[0].values
  }

  /// The mean of the gradients at the input with each noise added.
  func smoothGradients(of targets: [Target], noise: [Tensor]) throws -> [Map] {
    precondition(!noise.isEmpty, "SmoothGrad needs a sample")
    var sums = targets.map { _ in Tensor(shape: input.shape) }
    for sample in noise {
      let gradients = try gradients(of: targets, at: input.combined(with: sample, +))
      sums = zip(sums, gradients).map { $0.combined(with: $1, +) }
    }
    return sums.map { Map($0.map { $0 / Float(noise.count) }) }
  }

  /// Normal noise, of `deviation` times the distance between the input's smallest and largest value.
  func noise(samples: Int, deviation: Float, seed: UInt64) -> [Tensor] {
    let values = input.elements
    let range = (values.max() ?? 0) - (values.min() ?? 0)
    var generator = SplitMix64(state: seed)
    return (0..<samples).map { _ in input.map { _ in deviation * range * generator.nextNormal() } }
  }

  /// Numbers in 0 ..< 1.
  func randomMap(seed: UInt64) -> Tensor {
    var generator = SplitMix64(state: seed)
    return input.map { _ in generator.nextUniform() }
  }
}
