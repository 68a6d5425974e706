import RelevancePropagation
import RelevanceSupport

/// Random numbers in 0 ..< 1, reproducible from the seed. This is the baseline for evaluations.
public struct RandomMap: AttributionMethod {
  /// The seed of the random number generator.
  public private(set) var seed: UInt64

  public static let name = "random"
  public static let parameters: [Parameter<Self>] = [.init("seed", \.seed, in: 0 ... .max)]
  public init() { seed = 0 }
  /// Makes the method.
  public init(seed: UInt64) { self.seed = seed }

  public var isRelevance: Bool { false }
  public var sign: MapSign { .nonNegative }
  public func quantity(of score: String) -> String { "random number" }
  public var takesConditions: Bool { false }

  public func maps(of targets: [Target], in trace: Trace, ledger: Bool) -> [AttributionMap] {
    targets.map { _ in
      var generator = SplitMix64(state: seed)
      return AttributionMap(trace.input.map { _ in generator.nextUniform() })
    }
  }
}

extension AttributionMethod where Self == RandomMap {
  /// Random numbers from seed 0.
  public static var random: RandomMap { RandomMap() }
}
