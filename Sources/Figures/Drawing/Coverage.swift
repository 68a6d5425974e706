import RelevanceImaging

/// The share of each pixel of a rectangle that a shape covers, 0…1, for drawing with antialiased edges.
struct Coverage {
  let left: Int
  let top: Int
  let width: Int
  let height: Int
  private(set) var values: [Float]

  /// Creates an uncovered rectangle that contains the given points within `bounds`, with a margin around them.
  private init?(around points: some Sequence<SIMD2<Double>>, margin: Double, in bounds: PixelFrame) {
    var (low, high) = (SIMD2(repeating: Double.infinity), SIMD2(repeating: -Double.infinity))
    for point in points where point.x.isFinite && point.y.isFinite {
      low = pointwiseMin(low, point)
      high = pointwiseMax(high, point)
    }
    guard low.x <= high.x else { return nil }
    func clamped(_ value: Double, _ range: Range<Int>) -> Int {
      Int(min(max(value, Double(range.lowerBound)), Double(range.upperBound)))
    }
    left = clamped((low.x - margin).rounded(.down), bounds.columns)
    top = clamped((low.y - margin).rounded(.down), bounds.rows)
    width = clamped((high.x + margin).rounded(.up), bounds.columns) - left
    height = clamped((high.y + margin).rounded(.up), bounds.rows) - top
    guard width > 0, height > 0 else { return nil }
    values = []
  }

  /// The inside of closed polygons; a polygon with the opposite orientation is a hole. Exact for polygons that do not
  /// overlap; nil if nothing is within `bounds`.
  init?(inside polygons: [[SIMD2<Double>]], in bounds: PixelFrame) {
    self.init(around: polygons.joined(), margin: 0, in: bounds)
    // Each edge adds its change from pixel to pixel to its row, so that the running sum is the covered area.
    var changes = [Double](repeating: 0, count: (width + 2) * height)
    let origin = SIMD2(Double(left), Double(top))
    for polygon in polygons where polygon.allSatisfy({ $0.x.isFinite && $0.y.isFinite }) {
      guard var start = polygon.last.map({ $0 - origin }) else { continue }
      for point in polygon {
        let end = point - origin
        if start.y != end.y { addEdge(from: start, to: end, &changes) }
        start = end
      }
    }
    values.reserveCapacity(width * height)
    for y in 0..<height {
      var area = 0.0
      for x in 0..<width {
        area += changes[y * (width + 2) + x]
        values.append(Float(min(abs(area), 1)))
      }
    }
  }

  private func addEdge(from start: SIMD2<Double>, to end: SIMD2<Double>, _ changes: inout [Double]) {
    let (upper, lower, sign) = start.y < end.y ? (start, end, 1.0) : (end, start, -1.0)
    let slope = (lower.x - upper.x) / (lower.y - upper.y)
    var y = max(upper.y, 0)
    let bottom = min(lower.y, Double(height))
    while y < bottom {
      let row = Int(y)
      let next = min(Double(row + 1), bottom)
      let x = (upper.x + (y - upper.y) * slope, upper.x + (next - upper.y) * slope)
      addPiece(from: min(x.0, x.1), to: max(x.0, x.1), height: sign * (next - y), row: row * (width + 2), &changes)
      y = next
    }
  }

  /// Adds a piece of an edge that is within one row of pixels.
  private func addPiece(from low: Double, to high: Double, height: Double, row: Int, _ changes: inout [Double]) {
    let limit = Double(width)
    var x = low
    repeat {
      let inside = min(max(x, 0), limit)
      let column = Int(inside)
      let next = x < 0 ? min(0, high) : x >= limit ? high : min(Double(column + 1), high)
      let part = high > low ? height * (next - x) / (high - low) : height
      let middle = (inside + min(max(next, 0), limit)) / 2 - Double(column)
      changes[row + column] += part * (1 - middle)
      changes[row + column + 1] += part * middle
      x = next
    } while x < high
  }

  /// A line through points, with round joins and square ends; nil if no part of it is within `bounds`.
  init?(along points: [SIMD2<Double>], width thickness: Double, in bounds: PixelFrame) {
    self.init(around: points, margin: thickness / 2 + 1, in: bounds)
    values = [Float](repeating: 0, count: width * height)
    for i in 1..<max(points.count, 1) {
      addSegment(
        from: points[i - 1], to: points[i], radius: thickness / 2, startsHere: i == 1, endsHere: i == points.count - 1)
    }
  }

  private mutating func addSegment(
    from start: SIMD2<Double>, to end: SIMD2<Double>, radius: Double, startsHere: Bool, endsHere: Bool
  ) {
    let origin = SIMD2(Double(left), Double(top))
    let length = (end - start).length
    guard length > 0, length.isFinite else { return }
    let direction = (end - start) / length
    func indices(_ a: Double, _ b: Double, _ count: Int) -> Range<Int> {
      let low = max(min(a, b) - radius - 1, 0)
      let high = min(max(a, b) + radius + 1, Double(count))
      return low < high ? Int(low)..<Int(high.rounded(.up)) : 0..<0
    }
    for y in indices(start.y - origin.y, end.y - origin.y, height) {
      for x in indices(start.x - origin.x, end.x - origin.x, width) {
        let offset = SIMD2(Double(x) + 0.5, Double(y) + 0.5) + origin - start
        let along = (offset * direction).sum()
        let distance = (offset - direction * min(max(along, 0), length)).length
        var covered = min(max(radius + 0.5 - distance, 0), min(1, 2 * radius))
        if startsHere { covered *= min(max(along + 0.5, 0), 1) }
        if endsHere { covered *= min(max(length - along + 0.5, 0), 1) }
        values[y * width + x] = max(values[y * width + x], Float(covered))
      }
    }
  }
}

/// The pixels that can be drawn on.
struct PixelFrame {
  var columns: Range<Int>
  var rows: Range<Int>
}

extension SIMD2<Double> {
  var length: Double { (x * x + y * y).squareRoot() }
}

extension RGBImage {
  /// Blends a color over the pixels that a shape covers. An opacity above 1 makes fine shapes bolder: it strengthens
  /// partly covered pixels.
  mutating func blend(_ color: RGBColor, opacity: Double = 1, _ coverage: Coverage?) {
    guard let coverage else { return }
    for y in 0..<coverage.height {
      for x in 0..<coverage.width {
        let share = min(coverage.values[y * coverage.width + x] * Float(opacity), 1)
        if share > 0 { self[coverage.left + x, coverage.top + y].move(to: color, by: share) }
      }
    }
  }

  var frame: PixelFrame { PixelFrame(columns: 0..<width, rows: 0..<height) }
}

extension RGBColor {
  fileprivate mutating func move(to other: RGBColor, by share: Float) {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      let (from, to) = (Float(a), Float(b))
      return UInt8(from + (to - from) * share + 0.5)
    }
    self = RGBColor(red: mix(red, other.red), green: mix(green, other.green), blue: mix(blue, other.blue))
  }
}
