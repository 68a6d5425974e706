import Propagation
import Support
import Tensors

/// The mean gradient of `samples` inputs with normal noise, of `deviation` times the input's range. *Smilkov17*.
public struct SmoothGrad: AttributionMethod {
  /// How many gradients are averaged.
  public let samples: Int
  /// The standard deviation of the noise, as a share of the distance between the input's smallest and largest value.
  public let deviation: Float
  /// Where the generator of the noise starts.
  public let seed: UInt64

  public static let name = "smoothgrad"
  public static let parameters = [
    Parameter.whole("samples", 25), .number("deviation", 0.15, atLeast: 0), .whole("seed", 0, in: 0...1_000_000),
  ]
  /// Makes the method; `samples` must be positive.
  public init(samples: Int = 25, deviation: Float = 0.15, seed: UInt64 = 0) {
    precondition(samples > 0, "SmoothGrad needs a sample")
    (self.samples, self.deviation, self.seed) = (samples, deviation, seed)
  }
  public init(_ arguments: Arguments) {
    self.init(
      samples: Int(arguments.whole("samples")), deviation: arguments.number("deviation"), seed: arguments.whole("seed"))
  }
  public var arguments: [String: Arguments.Value] {
    ["samples": .whole(UInt64(samples)), "deviation": .number(deviation), "seed": .whole(seed)]
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
  /// SmoothGrad with given noise: one tensor or more, of the input's shape. *Smilkov17*.
  ///
  /// - Returns: the mean gradient, of the input's shape.
  /// - Throws: As `explain(_:by:ledger:)`.
  /// - Complexity: one run of the network and one backward pass per tensor of noise.
  public func smoothGradient(of target: Target, noise: [Tensor]) throws -> Tensor {
    try smoothGradients(of: [target], noise: noise)[0]
  }

  /// The mean of the gradients at the input with each noise added.
  fileprivate func smoothGradients(of targets: [Target], noise: [Tensor]) throws -> [Tensor] {
    precondition(!noise.isEmpty, "SmoothGrad needs a sample")
    return try gradientSums(of: targets, at: noise.lazy.map { input.combined(with: $0, +) }).map { sum in
      sum.map { $0 / Float(noise.count) }
    }
  }
}
