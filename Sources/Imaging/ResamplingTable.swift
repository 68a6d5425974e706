/// The weights of source pixels in each target pixel along one axis.
///
/// Target position t is at c = (t + ½)·s in the source, where s = source/target. Source pixel i has the weight f((i + ½
/// − c)/max(s, 1)). Weights are normalized to the sum 1, then rounded to 22 fractional bits.
struct ResamplingTable {
  /// 22 of 32 bits remain after 8 bits for the value and 2 for the overshoot of negative weights.
  static let fractionBits: Int32 = 22

  /// The first source position of each target position.
  let starts: [Int32]
  /// The number of source positions of each target position.
  let counts: [Int32]
  /// The distance between the weights of neighboring target positions.
  let stride: Int
  /// The weights, `stride` for each target position.
  let weights: [Int32]

  /// Creates the table for the target positions `part` of an axis that is resized from `source` to `target` pixels.
  init(_ resampling: Resampling, from source: Int, to target: Int, part: Range<Int>) {
    guard let support = resampling.support else { preconditionFailure("\(resampling) has no weights") }
    let scale = Double(source) / Double(target)
    let widening = max(scale, 1)
    let reach = support * widening
    let stride = Int(reach.rounded(.up)) * 2 + 1
    var starts: [Int32] = []
    var counts: [Int32] = []
    var weights = [Int32](repeating: 0, count: stride * part.count)
    var exact = [Double](repeating: 0, count: stride)
    for (row, position) in part.enumerated() {
      let center = (Double(position) + 0.5) * scale
      let first = max(Int(center - reach + 0.5), 0)
      let count = min(Int(center + reach + 0.5), source) - first
      var sum = 0.0
      for k in 0..<count {
        exact[k] = resampling.weight(at: (Double(k + first) - center + 0.5) * (1 / widening))
        sum += exact[k]
      }
      for k in 0..<count {
        let weight = (sum == 0 ? exact[k] : exact[k] / sum) * Double(1 << Self.fractionBits)
        weights[row * stride + k] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
      }
      starts.append(Int32(first))
      counts.append(Int32(count))
    }
    (self.starts, self.counts, self.stride, self.weights) = (starts, counts, stride, weights)
  }

  /// All source positions that the table reads.
  var sourceRange: Range<Int> {
    let end = zip(starts, counts).map { Int($0 + $1) }.max() ?? 0
    let start = Int(starts.min() ?? 0)
    return start..<max(start, end)
  }

  /// A fixed-point sum as a byte, clamped.
  @inline(__always)
  static func byte(_ sum: Int32) -> UInt8 { UInt8(truncatingIfNeeded: max(0, min(255, sum >> fractionBits))) }
}
