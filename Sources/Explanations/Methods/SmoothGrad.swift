import RelevancePropagation
import RelevanceSupport
import RelevanceTensors

/// The mean gradient over `samples` inputs with Gaussian noise, whose standard deviation is `deviation` times the
/// input's range. *Smilkov17*.
public struct SmoothGrad: AttributionMethod {
  /// The number of gradients that are averaged.
  public private(set) var samples: Int
  /// The standard deviation of the noise, as a fraction of the difference between the input's largest and smallest
  /// values.
  public private(set) var deviation: Float
  /// The seed of the noise.
  public private(set) var seed: UInt64

  public static let name = "smoothgrad"
  public static let parameters: [Parameter<Self>] = [
    .init("samples", \.samples), .init("deviation", \.deviation, atLeast: 0), .init("seed", \.seed, in: 0 ... .max),
  ]
  public init() { self.init(samples: 25) }
  /// Makes the method. `explain` throws unless `samples` is positive and `deviation` is not negative.
  public init(samples: Int = 25, deviation: Float = 0.15, seed: UInt64 = 0) {
    (self.samples, self.deviation, self.seed) = (samples, deviation, seed)
  }

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .slope }
  public func quantity(of score: String) -> String { "\(score) per unit of input" }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let values = trace.input.elements
    let range = (values.max() ?? 0) - (values.min() ?? 0)
    var generator = SplitMix64(state: seed)
    // The noise is generated sample by sample, because all samples together may exceed the memory.
    let noise = (0..<samples).lazy.map { _ in
      trace.input.map { _ in deviation * range * generator.nextNormal() }
    }
    return try trace.smoothGradients(of: targets, noise: noise).map { AttributionMap($0) }
  }
}

extension AttributionMethod where Self == SmoothGrad {
  /// SmoothGrad with 25 samples.
  public static var smoothGrad: SmoothGrad { SmoothGrad() }
}

extension Trace {
  /// The mean of the gradients at the input plus each noise tensor; at least one tensor, in the shape of the input.
  /// *Smilkov17*.
  package func smoothGradients(of targets: [Target], noise: some Collection<Tensor>) throws -> [Tensor] {
    let count = Float(noise.count)
    return try gradientSums(of: targets, at: noise.lazy.map { input.combined(with: $0, +) }).map { sum in
      sum.map { $0 / count }
    }
  }
}
