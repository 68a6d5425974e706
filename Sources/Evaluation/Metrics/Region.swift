import RelevanceSupport

/// The pixels of a map that belong to an object.
///
/// A pixel belongs to a box if its center is inside the box. With a tolerance of `t`, pixels whose distance to such a
/// pixel is at most `t` belong to it too. (J. Zhang et al., “Top-down neural attention by excitation backprop”, ECCV
/// 2016, §4.1: 15 pixels.)
public struct Region: Sendable {
  package let height: Int
  package let width: Int
  /// Whether each pixel belongs to the region, in row-major order.
  package let contains: [Bool]

  /// The pixels of several boxes, which are given in pixels of the map.
  ///
  /// - Throws: `RelevanceKitError` if there are no pixels, or if the tolerance is negative or not finite.
  /// - Complexity: O(height × width × tolerance).
  public init(_ boxes: [BoundingBox], height: Int, width: Int, tolerance: Double = 0) throws {
    guard height > 0, width > 0, !height.multipliedReportingOverflow(by: width).overflow else {
      throw SimpleError("a region of \(height)×\(width) pixels; expected one or more", .usage)
    }
    guard tolerance >= 0, tolerance.isFinite else {
      throw SimpleError("a tolerance of \(tolerance); expected a finite number of pixels of at least 0", .usage)
    }
    var inside = [Bool](repeating: false, count: height * width)
    for box in boxes {
      let rows = Self.centers(box.top, box.bottom, count: height)
      let columns = Self.centers(box.left, box.right, count: width)
      for row in rows { for column in columns { inside[row * width + column] = true } }
    }
    (self.height, self.width) = (height, width)
    contains = tolerance > 0 ? Self.widened(inside, height: height, width: width, by: tolerance) : inside
  }

  /// The pixels of other regions that do not belong to this one; nil if there are none.
  func others(of regions: [Region]) -> Region? {
    let inside = contains.indices.map { pixel in !contains[pixel] && regions.contains { $0.contains[pixel] } }
    return inside.contains(true) ? Region(height: height, width: width, contains: inside) : nil
  }

  private init(height: Int, width: Int, contains: [Bool]) {
    (self.height, self.width, self.contains) = (height, width, contains)
  }

  /// The pixels `i` with `low ≤ i + ½ < high`.
  private static func centers(_ low: Double, _ high: Double, count: Int) -> Range<Int> {
    func first(_ bound: Double) -> Int { Int(min(max((bound - 0.5).rounded(.up), 0), Double(count))) }
    let start = first(low)
    return start..<max(first(high), start)
  }

  private static func widened(_ inside: [Bool], height: Int, width: Int, by tolerance: Double) -> [Bool] {
    let reach = Int(min(tolerance, Double(max(height, width))))
    let none = Int.max / 4
    // The vertical distance to the nearest inside pixel of the same column.
    var rows = [Int](repeating: none, count: height * width)
    for x in 0..<width {
      var last = -none
      for y in 0..<height {
        if inside[y * width + x] { last = y }
        rows[y * width + x] = min(y - last, none)
      }
      last = none
      for y in (0..<height).reversed() {
        if inside[y * width + x] { last = y }
        rows[y * width + x] = min(rows[y * width + x], last - y)
      }
    }
    let limit = tolerance * tolerance
    return (0..<height * width).map { pixel in
      let (y, x) = (pixel / width, pixel % width)
      return (max(x - reach, 0)...min(x + reach, width - 1)).contains { other in
        let distance = rows[y * width + other]
        return distance <= reach && Double(distance * distance + (other - x) * (other - x)) <= limit
      }
    }
  }
}
