import RelevanceImaging

/// A graph with rows from top to bottom: boxes with text, and lines from the boxes of a row to those of the next. Lines
/// are wider for larger weights, red for positive and blue for negative weights.
package struct LayeredGraph: Chart {
  /// A box.
  package struct Vertex: Sendable {
    /// At most two lines.
    let lines: [String]
    /// The weight from −1 to 1, which determines the color.
    let weight: Double

    package init(_ lines: [String], weight: Double) { (self.lines, self.weight) = (lines, weight) }
  }

  /// A line from a box, given by row and number, to a box of the next row.
  package struct Edge: Sendable {
    let row, from, to: Int
    /// The weight, from −1 to 1.
    let weight: Double

    package init(row: Int, from: Int, to: Int, weight: Double) {
      (self.row, self.from, self.to, self.weight) = (row, from, to, weight)
    }
  }

  private let title: String
  private let rows: [(name: String, vertices: [Vertex])]
  private let edges: [Edge]

  package init(title: String, rows: [(name: String, vertices: [Vertex])], edges: [Edge]) {
    (self.title, self.rows, self.edges) = (title, rows, edges)
  }

  private static let (margin, gap, rise) = (14.0, 12.0, 84.0)
  private static let (boxWidth, boxHeight) = (104.0, 42.0)
  private static let positive = RGBColor(red: 178, green: 24, blue: 43)
  private static let negative = RGBColor(red: 33, green: 102, blue: 172)
  private static let widestLine = 9.0

  package func drawing() -> Drawing {
    let most = Double(rows.map(\.vertices.count).max() ?? 0)
    let width = max(most * (Self.boxWidth + Self.gap) - Self.gap, 320) + 2 * Self.margin
    let titleLines = TextLabel(title, size: 15).lines(fitting: width - 2 * Self.margin)
    // Each row starts with its name; the boxes are below it.
    let nameHeight = TextLabel("").height + 4
    let first = titleLines.reduce(Self.margin + 8) { $0 + $1.height + 2 }
    let tops = rows.indices.map {
      (first + Double($0) * (Self.boxHeight + nameHeight + Self.rise) + nameHeight).rounded()
    }
    let height = (tops.last ?? first) + Self.boxHeight + Self.margin
    var drawing = Drawing(width: Int(width.rounded(.up)), height: Int(height.rounded(.up)), title: title)
    var y = Self.margin
    for line in titleLines {
      drawing.add(.text(line, [(width / 2).rounded(), y + line.ascent], .middle))
      y += line.height + 2
    }
    func left(_ row: Int, _ number: Int) -> Double {
      let own = Double(rows[row].vertices.count) * (Self.boxWidth + Self.gap) - Self.gap
      return ((width - own) / 2 + Double(number) * (Self.boxWidth + Self.gap)).rounded()
    }
    // The strongest lines are drawn on top.
    for edge in edges.sorted(by: { abs($0.weight) < abs($1.weight) }) where edge.weight != 0 {
      let start = SIMD2(left(edge.row, edge.from) + Self.boxWidth / 2, tops[edge.row] + Self.boxHeight)
      let end = SIMD2(left(edge.row + 1, edge.to) + Self.boxWidth / 2, tops[edge.row + 1])
      let strength = min(abs(edge.weight), 1)
      drawing.add(
        .line(
          Self.curve(from: start, to: end), Self.shade(edge.weight, at: 0.25 + 0.75 * strength.squareRoot()),
          width: max(strength * Self.widestLine, 0.75)))
    }
    for (row, top) in tops.enumerated() {
      let name = TextLabel(rows[row].name, size: 12).shortened(to: width - 2 * Self.margin)
      if !name.text.isEmpty {
        let back = Box(left: Self.margin, top: top - nameHeight, right: Self.margin + name.width + 4, bottom: top - 2)
        drawing.add(.area(back.corners, .white, opacity: 0.85))
        drawing.add(.text(name, [Self.margin, top - nameHeight + name.ascent], .start))
      }
      for (number, vertex) in rows[row].vertices.enumerated() {
        draw(vertex, left: left(row, number), top: top, in: &drawing)
      }
    }
    return drawing
  }

  private func draw(_ vertex: Vertex, left: Double, top: Double, in drawing: inout Drawing) {
    // At pixel centers, where lines are sharp.
    let corners = Box(
      left: left + 0.5, top: top + 0.5, right: left + 0.5 + Self.boxWidth, bottom: top + 0.5 + Self.boxHeight
    ).corners
    drawing.add(.area(corners, .white))
    drawing.add(
      .area(corners, Self.shade(vertex.weight, at: 1), opacity: 0.04 + 0.4 * min(abs(vertex.weight), 1).squareRoot()))
    drawing.add(.line(corners + [corners[0]], .ink, width: 1))
    let lines = vertex.lines.prefix(2).map { TextLabel($0, size: 12).shortened(to: Self.boxWidth - 8) }
    var y = top + (Self.boxHeight - lines.reduce(0) { $0 + $1.height }) / 2
    for line in lines {
      drawing.add(.text(line, [left + Self.boxWidth / 2, (y + line.ascent).rounded()], .middle))
      y += line.height
    }
  }

  /// An S-shaped curve from one point down to another.
  private static func curve(from start: SIMD2<Double>, to end: SIMD2<Double>) -> [Drawing.Point] {
    let steps = 24
    return (0...steps).map { step in
      let t = Double(step) / Double(steps)
      let x = start.x + (end.x - start.x) * t * t * (3 - 2 * t)
      return [x, start.y + (end.y - start.y) * t]
    }
  }

  /// The color of a sign, paler for smaller shares.
  private static func shade(_ weight: Double, at share: Double) -> RGBColor {
    let color = weight < 0 ? negative : positive
    func mixed(_ level: UInt8) -> UInt8 { UInt8((255 + (Double(level) - 255) * share).rounded()) }
    return RGBColor(red: mixed(color.red), green: mixed(color.green), blue: mixed(color.blue))
  }
}
