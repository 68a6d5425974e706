import RelevanceImaging

/// Groups of bars with intervals, such as a metric by network and method, as SVG or as pixels.
///
/// The bars of a group differ in color and hatching, so they can be distinguished in gray, too. The axis starts at 0
/// unless its range specifies otherwise. A value that is not finite has no bar.
package struct BarChart: Chart {
  package struct Bar: Hashable, Sendable {
    package var value: Double
    /// The ends of the interval around `value`; nil or not finite without an interval.
    package var lower: Double?
    package var upper: Double?

    package init(_ value: Double, lower: Double? = nil, upper: Double? = nil) {
      (self.value, self.lower, self.upper) = (value, lower, upper)
    }

    fileprivate var interval: (lower: Double, upper: Double)? {
      guard value.isFinite, let lower, let upper, lower.isFinite, upper.isFinite else { return nil }
      return (lower, upper)
    }
  }

  package struct Group: Hashable, Sendable {
    package var name: String
    /// The bars, at most one for each series.
    package var bars: [Bar]

    package init(_ name: String, _ bars: [Bar]) { (self.name, self.bars) = (name, bars) }
  }

  package var title: String
  package var axis: ChartAxis
  /// The names in the legend, one for each bar of a group; may be empty.
  package var series: [String]
  package var groups: [Group]
  /// The size in CSS pixels, at least 160 × 120. A legend with many rows increases the height.
  package var width: Int
  package var height: Int

  package init(
    title: String = "", axis: ChartAxis, series: [String] = [], groups: [Group], width: Int = 560, height: Int = 380
  ) {
    (self.title, self.axis, self.series, self.groups, self.width) = (title, axis, series, groups, width)
    self.height = height
  }

  /// The rectangles of a group's bars in the image that `image(scale: 1)` returns, and the values at their ends.
  package func places(inGroup index: Int) -> [(left: Double, right: Double, base: Double, end: Double)] {
    let frame = layout()
    return boxes(ofGroup: index, frame).compactMap { $0 }.map { ($0.box.left, $0.box.right, $0.base, $0.end) }
  }

  private func layout() -> ChartFrame {
    let bars = groups.flatMap(\.bars)
    let heights = bars.flatMap { [$0.value] + ($0.interval.map { [$0.lower, $0.upper] } ?? []) }
    let legend = series.enumerated().map { index, name in
      ChartFrame.Entry(name: name) { box in
        SeriesStyle(index).bar(box)
      }
    }
    return ChartFrame(
      title: title, legend: legend, axis: axis,
      values: axis.scale(for: heights.filter(\.isFinite) + [0], ticks: max(2, height / 64)), width: width,
      height: height,
      below: { names.height(width: $0) + 12 })
  }

  private var names: CategoryLabels { CategoryLabels(names: groups.map(\.name)) }

  private typealias Place = (box: Box, base: Double, end: Double)

  /// The boxes of bars; nil for bars that are not drawn.
  private func boxes(ofGroup index: Int, _ frame: ChartFrame) -> [Place?] {
    let bars = groups[index].bars
    let count = Double(max(groups.map(\.bars.count).max() ?? 0, 1))
    let slot = frame.plot.width / Double(groups.count)
    let width = min(slot * 0.8 / count, 60)
    let left = frame.plot.left + (Double(index) + 0.5) * slot - width * Double(bars.count) / 2
    func row(_ value: Double) -> Double { min(max(frame.y(value), frame.plot.top), frame.plot.bottom) }
    return bars.enumerated().map { i, bar in
      guard bar.value.isFinite else { return nil }
      let (base, end) = (row(0), row(bar.value))
      let (from, to) = (left + Double(i) * width, left + Double(i + 1) * width)
      let gap = min(1, width / 4)
      return (Box(left: from + gap, top: min(base, end), right: to - gap, bottom: max(base, end)), base, end)
    }
  }

  package func drawing() -> Drawing {
    var frame = layout()
    var intervals: [Drawing.Element] = []
    for (group, content) in groups.enumerated() {
      for (i, place) in boxes(ofGroup: group, frame).enumerated() {
        guard let box = place?.box else { continue }
        for element in SeriesStyle(i).bar(box) { frame.drawing.add(element) }
        guard let interval = content.bars[i].interval else { continue }
        intervals += Self.interval(
          middle: (box.left + box.right) / 2, from: frame.y(interval.lower), to: frame.y(interval.upper),
          cap: min(4, box.width / 3))
      }
    }
    frame.drawing.add(.clipped(frame.plot.grown(by: 1), intervals))
    frame.addAxes()
    if frame.values.range.lowerBound < 0, frame.values.range.upperBound > 0 {
      let y = frame.pixelCenter(frame.y(0))
      frame.drawing.add(.line([[frame.plot.left, y], [frame.plot.right, y]], .ink, width: 1))
    }
    names.add(to: &frame)
    return frame.drawing
  }

  /// A vertical line with caps and a white rim that separates it from the bar.
  private static func interval(middle: Double, from: Double, to: Double, cap: Double) -> [Drawing.Element] {
    let strokes: [[Drawing.Point]] = [
      [[middle, from], [middle, to]], [[middle - cap, from], [middle + cap, from]],
      [[middle - cap, to], [middle + cap, to]],
    ]
    return strokes.map { .line($0, .white, width: 3) } + strokes.map { .line($0, .ink, width: 1.2) }
  }
}
