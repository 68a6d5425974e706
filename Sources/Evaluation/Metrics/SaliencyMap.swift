import RelevanceExplanations
import RelevanceSupport
import RelevanceTensors

/// The importance of each pixel according to an explanation: one number ≥ 0 per pixel, from which all scores are
/// computed.
public struct SaliencyMap: Sendable {
  /// The reduction of the channels of relevance to one number.
  package enum Reduction: Sendable {
    /// `max(0, Σ_c R)`: the relevance that supports the target. *Gu18* §5.2.
    case sum
    /// `max_c |R|`, for gradients, whose sign does not indicate support. *Simonyan14* §3.1.
    case magnitude
  }

  /// The number of rows.
  public let height: Int
  /// The number of columns.
  public let width: Int
  /// The values, in row-major order.
  public let values: [Float]

  /// Makes a map from its values in row-major order.
  ///
  /// - Throws: `RelevanceKitError` unless there are height × width values, at least one, and none is negative, NaN or
  ///   infinite.
  public init(height: Int, width: Int, values: [Float]) throws {
    let (count, overflow) = height.multipliedReportingOverflow(by: width)
    guard height > 0, width > 0, !overflow, values.count == count else {
      throw SimpleError("a map of \(height)×\(width) positions; found \(values.count) values", .usage)
    }
    if let index = values.firstIndex(where: { !($0 >= 0 && $0.isFinite) }) {
      throw SimpleError(
        "value \(index) of a saliency map is \(values[index]); expected finite numbers of at least 0", .usage)
    }
    self.init(height, width, values)
  }

  private init(_ height: Int, _ width: Int, _ values: [Float]) {
    (self.height, self.width, self.values) = (height, width, values)
  }

  /// Reduces relevance of shape 1 × channels × height × width, or without the first axis.
  package init(_ relevance: Tensor, by reduction: Reduction) throws {
    let shape = relevance.shape
    guard shape.rank == 3 || shape.rank == 4 && shape[0] == 1 else {
      throw SimpleError("relevance of shape \(shape) is not one map; expected C×H×W or 1×C×H×W", .usage)
    }
    let (channels, plane) = (shape[-3], shape[-2] * shape[-1])
    let values = relevance.withUnsafeElements { r in
      (0..<plane).map { pixel -> Float in
        var value: Float = reduction == .sum ? r[pixel] : abs(r[pixel])
        for channel in 1..<max(channels, 1) {
          let other = r[channel * plane + pixel]
          value = reduction == .sum ? value + other : max(value, abs(other))
        }
        return max(value, 0)
      }
    }
    self.init(shape[-2], shape[-1], values)
  }

  /// The map of an explanation of one image.
  ///
  /// - Throws: `RelevanceKitError` if the explanation is of several inputs, or of an input without height and width.
  public init(_ explanation: Explanation) throws {
    try self.init(explanation.relevance, by: explanation.method.sign == .slope ? .magnitude : .sum)
  }

  /// The sum of all pixels.
  package var energy: Double { values.reduce(0) { $0 + Double($1) } }

  /// The pixel with the largest value, the first one if several are equal; nil if all values are 0.
  package var maximum: Int? {
    var best = -1
    var largest: Float = 0
    for (pixel, value) in values.enumerated() where value > largest { (best, largest) = (pixel, value) }
    return best < 0 ? nil : best
  }

  /// All pixels in descending order of their values; pixels with equal values are ordered by index.
  package func ranking() -> [Int] { values.indices.sorted { (values[$1], $0) < (values[$0], $1) } }
}

extension SaliencyMap {
  /// Patches around the largest pixels that no patch covers yet, in order; fewer than `count` if the rest of the map is
  /// zero. *Gu18* §5.2. `side` is the side length of the patches in pixels, an odd number.
  package func patches(_ count: Int, side: Int) -> [Patch] {
    precondition(side > 0 && side % 2 == 1, "expected a positive odd side, found \(side)")
    var rest = self
    var patches: [Patch] = []
    while patches.count < count, let pixel = rest.maximum {
      let patch = Patch(center: (pixel / width, pixel % width), side: side, height: height, width: width)
      patches.append(patch)
      var values = rest.values
      for row in patch.rows { for column in patch.columns { values[row * width + column] = 0 } }
      rest = SaliencyMap(height, width, values)
    }
    return patches
  }
}
