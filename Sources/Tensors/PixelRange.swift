/// The interval that each channel of a network's input can take: `l` and `h` of rule z^B.
///
/// Units are those of the network's input, after preprocessing: `l_c = (0 − mean_c)/std_c`, `h_c = (top − mean_c)/std_c`.
public struct PixelRange: Hashable, Sendable {
  /// The smallest value of each channel, in the order in which the network takes them.
  public let lower: [Float]
  /// The largest value of each channel.
  public let upper: [Float]

  /// Makes a range; traps unless there is one `lower` ≤ `upper` per channel.
  public init(lower: [Float], upper: [Float]) {
    precondition(lower.count == upper.count && zip(lower, upper).allSatisfy { $0 <= $1 }, "not a range per channel")
    (self.lower, self.upper) = (lower, upper)
  }

  /// The range of pixels `0 … top` after subtracting `mean` and dividing by `standardDeviation`, per channel.
  package init(mean: [Float], standardDeviation: [Float], top: Float = 1) {
    self.init(
      lower: zip(mean, standardDeviation).map { (0 - $0) / $1 },
      upper: zip(mean, standardDeviation).map { (top - $0) / $1 })
  }

  /// RGB pixels in 0…1, normalized with ImageNet's usual mean and standard deviation.
  public static let imageNet = PixelRange(mean: [0.485, 0.456, 0.406], standardDeviation: [0.229, 0.224, 0.225])
}
