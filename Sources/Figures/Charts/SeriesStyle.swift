import Foundation
import RelevanceImaging

/// The style that distinguishes a series of a chart, in color, in gray and in print: color, dashes, marker and
/// hatching.
struct SeriesStyle {
  let color: RGBColor
  /// The lengths of the line's strokes and gaps.
  let dashes: [Double]
  /// The angles of the hatching, in degrees from the horizontal.
  let hatching: [Double]
  private let marker: Int

  init(_ index: Int) {
    color = Self.colors[index % Self.colors.count]
    dashes = Self.dashes[index % Self.dashes.count]
    hatching = Self.hatchings[index % Self.hatchings.count]
    marker = index % Self.markers.count
  }

  /// The marker at a point, with a white rim that separates it from what is below.
  func marker(at point: Drawing.Point) -> [Drawing.Element] {
    let shape = Self.markers[marker]
    return [
      .area(shape.map { point + $0 * (Self.radius + 1) }, .white), .area(shape.map { point + $0 * Self.radius }, color),
    ]
  }

  /// A bar, or its sample in the legend.
  func bar(_ box: Box) -> [Drawing.Element] {
    [.area(box.corners, color)]
      + hatching.flatMap { angle in
        Self.hatch(box, angle: angle).map { .line($0, .white, width: 1.2) }
      }
  }

  private static let radius = 3.3
  /// Blue, vermilion, green, orange, purple, sky blue, gray; yellow is last because it is faint on white.
  private static let colors = [0, 5, 2, 1, 3, 4, 7, 6].map { RGBColor.okabeIto[$0] }
  private static let dashes: [[Double]] = [
    [], [7, 3], [2.5, 2], [9, 3, 2.5, 3], [5, 2], [12, 3], [9, 2, 2, 2, 2, 2],
  ]
  private static let hatchings: [[Double]] = [[], [45], [-45], [0], [45, -45], [90]]
  private static let markers: [[Drawing.Point]] = [
    polygon(24), polygon(4, turnedBy: 45, radius: 1.25), polygon(3, turnedBy: -90, radius: 1.35),
    polygon(4, radius: 1.35), polygon(3, turnedBy: 90, radius: 1.35), star(4, turnedBy: 0), star(4, turnedBy: 45),
    polygon(5, turnedBy: -90, radius: 1.15),
  ]

  private static func polygon(_ count: Int, turnedBy degrees: Double = 0, radius: Double = 1) -> [Drawing.Point] {
    (0..<count).map { corner in
      let angle = (360 * Double(corner) / Double(count) + degrees) * .pi / 180
      return SIMD2(cos(angle), sin(angle)) * radius
    }
  }

  /// Arms around a center, with the width of a square: a plus or a cross.
  private static func star(_ arms: Int, turnedBy degrees: Double) -> [Drawing.Point] {
    (0..<arms).flatMap { arm in
      let angle = (360 * Double(arm) / Double(arms) + degrees) * .pi / 180
      let (along, across) = (SIMD2(cos(angle), sin(angle)), SIMD2(-sin(angle), cos(angle)))
      return [along * 0.42 - across * 0.42, along * 1.4 - across * 0.42, along * 1.4 + across * 0.42]
    }
  }

  private static func hatch(_ box: Box, angle: Double) -> [[Drawing.Point]] {
    let distance = 6.0
    guard box.width > 2, box.height > 0.5 else { return [] }
    let direction = SIMD2(cos(angle * .pi / 180), -sin(angle * .pi / 180))
    let normal = SIMD2(-direction.y, direction.x)
    let offsets = box.corners.map { ($0 * normal).sum() }
    let (low, high) = (offsets.min()!, offsets.max()!)
    return stride(from: low + distance / 2, to: high, by: distance).compactMap { offset in
      chord(of: box, through: normal * offset, along: direction)
    }
  }

  /// The part of a line inside a box.
  private static func chord(
    of box: Box, through point: Drawing.Point, along direction: Drawing.Point
  ) -> [Drawing.Point]? {
    var (first, last) = (-Double.infinity, Double.infinity)
    let sides = [(point.x, direction.x, box.left, box.right), (point.y, direction.y, box.top, box.bottom)]
    for (place, step, low, high) in sides {
      if abs(step) < 1e-12 {
        if place < low || place > high { return nil }
      } else {
        let (a, b) = ((low - place) / step, (high - place) / step)
        (first, last) = (max(first, min(a, b)), min(last, max(a, b)))
      }
    }
    return first < last ? [point + direction * first, point + direction * last] : nil
  }
}
