/// The range of values of each channel of a network's input: `l` and `h` of rule z^B.
///
/// The values are in the units of the network's input, after preprocessing: `l_c = (0 − mean_c)/std_c`,
/// `h_c = (top − mean_c)/std_c`.
public struct PixelRange: Hashable, Sendable {
  /// The smallest value of each channel, in the order of the network's channels.
  public let lower: [Float]
  /// The largest value of each channel.
  public let upper: [Float]

  /// Creates a range with one finite `lower` ≤ `upper` per channel. With other bounds, a rule table cannot be resolved.
  public init(lower: [Float], upper: [Float]) { (self.lower, self.upper) = (lower, upper) }

  /// The reason why the range is invalid; nil if it is valid.
  package var objection: String? {
    guard !lower.isEmpty, lower.count == upper.count else {
      return "\(lower.count) lower and \(upper.count) upper bounds; expected one of each for every channel"
    }
    for (channel, (low, high)) in zip(lower, upper).enumerated() where !(low <= high && low.isFinite && high.isFinite) {
      return "\(low)…\(high) in channel \(channel); expected finite numbers, the lower one first"
    }
    return nil
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
