import RelevancePropagation
import RelevanceTensors

/// `(x − x₀)` times the mean gradient along the straight line from x₀ to x, sampled at the midpoints of `steps`
/// intervals. Every element of x₀ is `baseline`. *Sundararajan17* eq. 1, 3.
public struct IntegratedGradients: AttributionMethod {
  /// The value of every element of x₀.
  public private(set) var baseline: Float
  /// The number of gradients that are averaged.
  public private(set) var steps: Int

  public static let name = "integrated-gradients"
  public static let parameters: [Parameter<Self>] = [.init("baseline", \.baseline), .init("steps", \.steps)]
  public init() { self.init(steps: 32) }
  /// Makes the method. `explain` throws unless `steps` is positive.
  public init(baseline: Float = 0, steps: Int = 32) {
    (self.baseline, self.steps) = (baseline, steps)
  }

  public var table: RuleTable? { .gradient() }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let sums = try trace.gradientSums(
      of: targets,
      at: (0..<steps).lazy.map { step in
        let part = (Float(step) + 0.5) / Float(steps)
        return trace.input.map { baseline + part * ($0 - baseline) }
      })
    let start = try trace.trace(at: trace.input.map { _ in baseline }, for: targets)
    return try zip(targets, sums).map { target, sum in
      var map = AttributionMap(sum.combined(with: trace.input) { $0 / Float(steps) * ($1 - baseline) })
      // Under conditions, the map explains only a part of the change, so it has no completeness error.
      guard trace.passages.isEmpty else { return map }
      let (here, there) = (try Site(of: target, in: trace), try Site(of: target, in: start))
      map.completenessErrors = (0..<trace.batch).map { item in
        here.score(in: trace, item: item) - there.score(in: start, item: item)
          - Float(map.values.part(item, of: trace.batch).sum())
      }
      return map
    }
  }
}

extension AttributionMethod where Self == IntegratedGradients {
  /// Integrated gradients from a baseline of zeros in 32 steps.
  public static var integratedGradients: IntegratedGradients { IntegratedGradients() }
}

extension Trace {
  /// The sum of each target's gradients at several inputs, computed one after another.
  func gradientSums(of targets: [Target], at inputs: some Sequence<Tensor>) throws -> [Tensor] {
    var sums = targets.map { _ in Tensor(shape: input.shape) }
    for input in inputs {
      try Task.checkCancellation()
      let other = try trace(at: input, for: targets).timed(by: propagator.clock)
      let gradients = try other.propagated(targets, by: .gradient, ledger: false)
      sums = zip(sums, gradients).map { $0.combined(with: $1.values, +) }
    }
    return sums
  }
}
