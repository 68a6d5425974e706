import RelevanceImaging

package protocol Chart: Sendable {
  func drawing() -> Drawing
}

extension Chart {
  package func svg() -> String { drawing().svg() }

  /// The chart as pixels, `scale` pixels per CSS pixel in each direction.
  package func image(scale: Int = 2) -> RGBImage { drawing().image(scale: scale) }
}

/// The elements of a chart around its data: title, legend, the value axis with its grid, and the area of the data.
struct ChartFrame {
  /// A name in the legend, and a function that draws its sample into a box.
  struct Entry {
    let name: String
    let sample: (Box) -> [Drawing.Element]
  }

  var drawing: Drawing
  /// The area of the data.
  let plot: Box
  /// The vertical axis.
  let values: ChartScale

  static let tickSize = 12.0
  static let grid = RGBColor(red: 226, green: 226, blue: 226)
  private static let margin = 12.0
  private static let titleSize = 15.0
  private static let sample = (width: 30.0, height: 12.0)
  private static let smallestShare = 0.4

  /// Lays out a chart and draws everything except the data and the elements below them. `right` is the space to the
  /// right of the data, and `below` returns the space below them for their width.
  init(
    title: String, legend: [Entry], axis: ChartAxis, values: ChartScale, width: Int, height: Int, right: Double = 0,
    below: (Double) -> Double
  ) {
    precondition(width >= 160 && height >= 120, "a chart needs 160×120 pixels, not \(width)×\(height)")
    self.values = values
    let tickLabels = values.ticks.map { TextLabel(values.label($0), size: Self.tickSize) }
    let axisLabel = TextLabel(values.title(axis.label))
    let tickWidth = tickLabels.map(\.width).max() ?? 0
    let labelHeight = axisLabel.text.isEmpty ? 0 : axisLabel.height + 6
    let left = (Self.margin + labelHeight + tickWidth + 8).rounded(.up)
    let end = Double(width) - max(Self.margin, right).rounded(.up)
    let plotWidth = max(end - left, 1)

    let titleLines = TextLabel(title, size: Self.titleSize).lines(fitting: Double(width) - 2 * Self.margin)
    let legendLeft = Self.margin + labelHeight
    let rows = Self.rows(legend, width: Double(width) - Self.margin - legendLeft)
    let rowHeight = TextLabel("").height + 1
    var top = Self.margin + titleLines.reduce(0) { $0 + $1.height + 2 } + (titleLines.isEmpty ? 0 : 6)
    let legendTop = top
    top += Double(rows.count) * rowHeight + (rows.isEmpty ? 0 : 11)
    // Space for the upper half of the highest number.
    top = max(top, Self.margin + Self.tickSize / 2).rounded()
    let needed = top + below(plotWidth) + Double(height) * Self.smallestShare
    let fullHeight = max(height, Int(needed.rounded(.up)))
    plot = Box(left: left, top: top, right: left + plotWidth, bottom: Double(fullHeight) - below(plotWidth).rounded())

    let name = title.isEmpty ? axis.label : title
    drawing = Drawing(width: width, height: fullHeight, title: name)
    var y = Self.margin
    for line in titleLines {
      drawing.add(.text(line, [(Double(width) / 2).rounded(), y + line.ascent], .middle))
      y += line.height + 2
    }
    for (i, row) in rows.enumerated() { draw(row, left: legendLeft, top: legendTop + Double(i) * rowHeight) }
    for (tick, label) in zip(values.ticks, tickLabels) {
      let y = pixelCenter(self.y(tick))
      drawing.add(.line([[plot.left, y], [plot.right, y]], Self.grid, width: 1))
      drawing.add(.text(label, [plot.left - 7, y - 0.5 + (label.size * 0.36).rounded()], .end))
    }
    let shown = axisLabel.shortened(to: plot.height + plot.top - Self.margin)
    let middle = min(max((plot.top + plot.bottom) / 2, shown.width / 2 + 4), Double(fullHeight) - shown.width / 2 - 4)
    drawing.add(.text(shown, [Self.margin + shown.ascent - 2, middle.rounded()], .middle, isUpward: true))
  }

  /// The position of a value on the vertical axis.
  func y(_ value: Double) -> Double { plot.bottom - values.position(value) * plot.height }

  /// The center of the pixel that contains a position, where lines are sharp.
  func pixelCenter(_ place: Double) -> Double { place.rounded(.down) + 0.5 }

  /// Draws the axis lines over the data, the horizontal one at the bottom.
  mutating func addAxes() {
    let (x, y) = (pixelCenter(plot.left) - 1, pixelCenter(plot.bottom))
    drawing.add(.line([[x, plot.top], [x, y], [plot.right, y]], .ink, width: 1))
  }

  private typealias Row = [(entry: Entry, label: TextLabel)]

  private static let entryGap = 18.0

  private static func rows(_ legend: [Entry], width: Double) -> [Row] {
    var rows: [Row] = []
    var used = Double.infinity
    for entry in legend {
      let label = TextLabel(entry.name).shortened(to: width - sample.width - 6)
      let needed = sample.width + 6 + label.width
      if used + entryGap + needed > width {
        rows.append([])
        used = -entryGap
      }
      rows[rows.count - 1].append((entry, label))
      used += entryGap + needed
    }
    return rows
  }

  private mutating func draw(_ row: Row, left: Double, top: Double) {
    var x = left
    for (entry, label) in row {
      let middle = (top + label.height / 2).rounded() + 0.5
      let box = Box(
        left: x, top: middle - Self.sample.height / 2, right: x + Self.sample.width,
        bottom: middle + Self.sample.height / 2)
      for element in entry.sample(box) { drawing.add(element) }
      x += Self.sample.width + 6
      drawing.add(.text(label, [x.rounded(), top + label.ascent], .start))
      x += label.width + Self.entryGap
    }
  }
}

/// Names below equal parts of a chart's width, with up to two lines each.
struct CategoryLabels {
  let names: [String]

  /// The space between an axis and its labels.
  static let tickGap = 3.0

  /// The height of the names, given the width of all parts together.
  func height(width: Double) -> Double {
    let most = names.map { lines($0, width: width).count }.max() ?? 0
    return Self.tickGap + Double(most) * TextLabel("").height
  }

  func add(to frame: inout ChartFrame) {
    let part = frame.plot.width / Double(names.count)
    for (i, name) in names.enumerated() {
      let middle = (frame.plot.left + (Double(i) + 0.5) * part).rounded()
      for (row, line) in lines(name, width: frame.plot.width).enumerated() {
        let top = frame.plot.bottom + Self.tickGap + Double(row) * line.height
        frame.drawing.add(.text(line, [middle, top + line.ascent], .middle))
      }
    }
  }

  private func lines(_ name: String, width: Double) -> [TextLabel] {
    TextLabel(name).lines(fitting: max(width / Double(names.count) - 6, 0))
  }
}
