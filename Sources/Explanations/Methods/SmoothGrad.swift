import Propagation
import Support
import Tensors

/// The mean gradient of `samples` inputs with normal noise, of `deviation` times the input's range. *Smilkov17*.
public struct SmoothGrad: AttributionMethod {
  /// How many gradients are averaged.
  public private(set) var samples: Int
  /// The standard deviation of the noise, as a share of the distance between the input's smallest and largest value.
  public private(set) var deviation: Float
  /// Where the generator of the noise starts.
  public private(set) var seed: UInt64

  public static let name = "smoothgrad"
  public static let parameters: [Parameter<Self>] = [
    .init("samples", \.samples), .init("deviation", \.deviation, atLeast: 0), .init("seed", \.seed, in: 0...1_000_000),
  ]
  public init() { self.init(samples: 25) }
  /// Makes the method; `samples` must be positive.
  public init(samples: Int = 25, deviation: Float = 0.15, seed: UInt64 = 0) {
    precondition(samples > 0, "SmoothGrad needs a sample")
    (self.samples, self.deviation, self.seed) = (samples, deviation, seed)
  }

  public var table: RuleTable? { .gradient() }
  public var sign: MapSign { .slope }
  public func quantity(of score: String) -> String { "\(score) per unit of input" }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) throws -> [AttributionMap] {
    let values = trace.input.elements
    let range = (values.max() ?? 0) - (values.min() ?? 0)
    var generator = SplitMix64(state: seed)
    return try trace.smoothGradients(
      of: targets,
      noise: (0..<samples).map { _ in trace.input.map { _ in deviation * range * generator.nextNormal() } }
    ).map { AttributionMap($0) }
  }
}

extension AttributionMethod where Self == SmoothGrad {
  /// SmoothGrad of 25 samples.
  public static var smoothGrad: SmoothGrad { SmoothGrad() }
}

extension Trace {
  /// The mean of the gradients at the input with each noise added: one tensor or more, of the input's shape. *Smilkov17*.
  package func smoothGradients(of targets: [Target], noise: [Tensor]) throws -> [Tensor] {
    precondition(!noise.isEmpty, "SmoothGrad needs a sample")
    return try gradientSums(of: targets, at: noise.lazy.map { input.combined(with: $0, +) }).map { sum in
      sum.map { $0 / Float(noise.count) }
    }
  }
}
