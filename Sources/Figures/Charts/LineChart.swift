import RelevanceImaging

/// Curves over a common horizontal axis, such as the accuracy of methods over thresholds, as SVG or as pixels.
///
/// Curves differ in color, dashes and markers, so they can be distinguished in gray, too. The legend is above the data
/// and never covers them. Values that are not finite interrupt a curve.
package struct LineChart: Chart {
  package struct Point: Hashable, Sendable {
    package var x: Double
    package var y: Double
    /// The ends of the interval around `y`; nil or not finite without an interval.
    package var lower: Double?
    package var upper: Double?

    package init(x: Double, y: Double, lower: Double? = nil, upper: Double? = nil) {
      (self.x, self.y, self.lower, self.upper) = (x, y, lower, upper)
    }

    fileprivate var isDrawn: Bool { x.isFinite && y.isFinite }
    fileprivate var interval: (lower: Double, upper: Double)? {
      guard x.isFinite, let lower, let upper, lower.isFinite, upper.isFinite else { return nil }
      return (lower, upper)
    }
  }

  package struct Series: Hashable, Sendable {
    package var name: String
    package var points: [Point]

    package init(_ name: String, _ points: [Point]) { (self.name, self.points) = (name, points) }
  }

  package var title: String
  package var x: ChartAxis
  package var y: ChartAxis
  /// The curves, in the order of the legend; later ones are drawn over earlier ones.
  package var series: [Series]
  /// The size in CSS pixels, at least 160 × 120. A legend with many rows increases the height.
  package var width: Int
  package var height: Int

  package init(
    title: String = "", x: ChartAxis, y: ChartAxis, series: [Series], width: Int = 560, height: Int = 380
  ) {
    (self.title, self.x, self.y, self.series, self.width, self.height) = (title, x, y, series, width, height)
  }

  /// The position of a value in the image that `image(scale: 1)` returns, in pixels from its upper left corner.
  package func place(x: Double, y: Double) -> (x: Double, y: Double) {
    let (frame, scale) = layout()
    return (place(x, on: scale, frame), frame.y(y))
  }

  /// The marks of the horizontal and the vertical axis.
  package func scales() -> (x: ChartScale, y: ChartScale) {
    let (frame, scale) = layout()
    return (scale, frame.values)
  }

  private func layout() -> (ChartFrame, ChartScale) {
    let points = series.flatMap(\.points)
    let heights = points.flatMap { point in
      (point.isDrawn ? [point.y] : []) + (point.interval.map { [$0.lower, $0.upper] } ?? [])
    }
    let across = x.scale(for: points.lazy.map(\.x), ticks: max(2, width / 80))
    let lastLabel = across.ticks.last.map { TextLabel(across.label($0), size: ChartFrame.tickSize).width } ?? 0
    let legend = series.enumerated().map { index, series in
      let style = SeriesStyle(index)
      return ChartFrame.Entry(name: series.name) { box in
        let y = (box.top + box.bottom) / 2
        let line = Drawing.Element.line(
          [[box.left, y], [box.right, y]], style.color, width: Self.lineWidth, dashes: style.dashes)
        return [line] + style.marker(at: [(box.left + box.right) / 2, y])
      }
    }
    let frame = ChartFrame(
      title: title, legend: legend.count > 1 || series.first?.name.isEmpty == false ? legend : [], axis: y,
      values: y.scale(for: heights, ticks: max(2, height / 64)), width: width, height: height,
      right: lastLabel / 2 + 6,
      below: { _ in
        let title = TextLabel(across.title(x.label))
        return CategoryLabels.tickGap + ChartFrame.tickSize + (title.text.isEmpty ? 8 : title.height + 16)
      })
    return (frame, across)
  }

  private static let lineWidth = 1.8
  private static let bandOpacity = 0.16
  /// The smallest distance between the markers of a curve.
  private static let markerDistance = 30.0

  private func place(_ x: Double, on scale: ChartScale, _ frame: ChartFrame) -> Double {
    frame.plot.left + scale.position(x) * frame.plot.width
  }

  package func drawing() -> Drawing {
    var (frame, scale) = layout()
    addHorizontalAxis(scale, to: &frame)
    let runs = series.map { series in
      series.points.split(whereSeparator: { !$0.isDrawn }).map { run in
        run.map { Self.near(frame.plot, Drawing.Point(place($0.x, on: scale, frame), frame.y($0.y))) }
      }
    }
    var data: [Drawing.Element] = []
    for (index, series) in series.enumerated() {
      for run in series.points.split(whereSeparator: { $0.interval == nil }) {
        func edge(_ value: (Point) -> Double) -> [Drawing.Point] {
          run.map { Self.near(frame.plot, [place($0.x, on: scale, frame), frame.y(value($0))]) }
        }
        let band = edge { $0.interval!.upper } + edge { $0.interval!.lower }.reversed()
        data.append(.area(band, SeriesStyle(index).color, opacity: Self.bandOpacity))
      }
    }
    for (index, runs) in runs.enumerated() {
      let style = SeriesStyle(index)
      for run in runs where run.count > 1 {
        data.append(.line(run, style.color, width: Self.lineWidth, dashes: style.dashes))
      }
    }
    frame.drawing.add(.clipped(frame.plot.grown(by: 1), data))
    frame.addAxes()
    // Markers at the ends of the axes are not clipped.
    var markers: [Drawing.Element] = []
    for (index, runs) in runs.enumerated() {
      for run in runs {
        for point in Self.spaced(run) where frame.plot.grown(by: 0.5).contains(point) {
          markers += SeriesStyle(index).marker(at: point)
        }
      }
    }
    markers.forEach { frame.drawing.add($0) }
    return frame.drawing
  }

  private func addHorizontalAxis(_ scale: ChartScale, to frame: inout ChartFrame) {
    let plot = frame.plot
    var free = -Double.infinity
    for tick in scale.ticks {
      let x = frame.pixelCenter(place(tick, on: scale, frame))
      if x > plot.left + 1 {
        frame.drawing.add(.line([[x, plot.top], [x, plot.bottom]], ChartFrame.grid, width: 1))
      }
      let label = TextLabel(scale.label(tick), size: ChartFrame.tickSize)
      guard x - label.width / 2 > free else { continue }
      frame.drawing.add(
        .text(label, [x - 0.5, (plot.bottom + CategoryLabels.tickGap + label.ascent).rounded()], .middle))
      free = x + label.width / 2 + 6
    }
    let label = TextLabel(scale.title(x.label)).shortened(to: Double(width) - 8)
    let middle = min(max((plot.left + plot.right) / 2, label.width / 2 + 4), Double(width) - label.width / 2 - 4)
    let baseline = Double(frame.drawing.height) - 8 - label.descent
    frame.drawing.add(.text(label, [middle.rounded(), baseline.rounded()], .middle))
  }

  /// The point, or a nearer point in the same direction if it is far outside the plot: invisible lines take time and
  /// memory, too.
  private static func near(_ plot: Box, _ point: Drawing.Point) -> Drawing.Point {
    let reach = plot.grown(by: 100 * max(plot.width, plot.height))
    return [min(max(point.x, reach.left), reach.right), min(max(point.y, reach.top), reach.bottom)]
  }

  /// The first point, and each point that is far enough from the previous one.
  private static func spaced(_ points: [Drawing.Point]) -> [Drawing.Point] {
    points.reduce(into: []) { spaced, point in
      if spaced.last.map({ ($0 - point).length >= markerDistance }) ?? true { spaced.append(point) }
    }
  }
}

extension Box {
  func grown(by margin: Double) -> Box {
    Box(left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin)
  }

  func contains(_ point: Drawing.Point) -> Bool {
    point.x >= left && point.x <= right && point.y >= top && point.y <= bottom
  }
}
