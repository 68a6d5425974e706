/// Names below equal parts of a chart's width, in up to two lines each.
struct CategoryLabels {
  let names: [String]

  /// The space between an axis and what is written at it.
  static let tickGap = 3.0

  /// The height that the names need, given the width of all parts together.
  func height(width: Double) -> Double {
    let most = names.map { lines($0, width: width).count }.max() ?? 0
    return Self.tickGap + Double(most) * TextLabel("").height
  }

  /// Writes the names below the data.
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
