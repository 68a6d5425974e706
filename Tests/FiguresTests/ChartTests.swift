import RelevanceFigures
import Foundation
import FoundationXML
import RelevanceImaging
import Testing

@Suite("Charts")
struct ChartTests {
  private static let names = ["LRP α1β0", "CLRP1 <other & \"all\">", "CLRP2'"]

  private let chart = LineChart(
    title: "Pointing & <accuracy>", x: ChartAxis("energy (%)", range: 0...100), y: ChartAxis("accuracy", range: 0...1),
    series: names.enumerated().map { i, name in
      LineChart.Series(
        name,
        stride(from: 0.0, through: 100, by: 10).map { x in
          let y = 0.9 - Double(i + 1) * x / 500
          return .init(x: x, y: y, lower: y - 0.05, upper: y + 0.05)
        })
    })

  private let bars = BarChart(
    title: "Energy", axis: ChartAxis("share"), series: names,
    groups: [
      .init("AlexNet", [.init(0.2, lower: 0.1, upper: 0.3), .init(0.4), .init(.nan)]),
      .init("VGG16 & <more>", [.init(-0.3, lower: -0.4, upper: -0.2), .init(0.5, lower: .nan, upper: 1)]),
    ])

  /// Dashes of a curve that leaves the plot are not computed to its far end.
  @Test func valuesFarOutsideAreDrawnQuickly() {
    for value in [4.65e12, -1e300, .greatestFiniteMagnitude] {
      var chart = chart
      for series in chart.series.indices { chart.series[series].points[3].y = value }
      chart.series[0].points[4].upper = value
      #expect(chart.image(scale: 1).width == chart.width && chart.svg().utf8.count < 100_000)
    }
  }

  /// Given marks appear at their positions with their labels, and the axis ends at the outermost ones.
  @Test func marksAreWhereTheyAreGiven() {
    let marks = [(-1.0, "0"), (0, "1"), (3, "eight"), (4.5, "23")].map { ChartAxis.Mark($0.0, $0.1) }
    var chart = chart
    chart.x = ChartAxis("channels", marks: marks)
    let scale = chart.scales().x
    #expect(scale.range == -1...4.5 && scale.ticks == [-1, 0, 3, 4.5] && scale.exponent == 0)
    #expect(scale.ticks.map(scale.label) == ["0", "1", "eight", "23"])
    let (first, second, last) = (chart.place(x: -1, y: 0).x, chart.place(x: 0, y: 0).x, chart.place(x: 4.5, y: 0).x)
    #expect(abs((second - first) / (last - first) - 1 / 5.5) < 1e-9)
  }

  @Test func ticksIncreaseAndCoverTheRange() {
    let ranges: [(Double, Double)] = [
      (0, 1), (0, 13), (0, 100), (-0.3, 0.7), (12.34, 12.35), (-5e-7, 3e-7), (1e9, 1.1e9), (999, 1001),
      (1e-200, 3e-200), (-1e280, 1e280), (1e6, 1e6 + 1),
    ]
    for (low, high) in ranges {
      for count in 2...9 {
        let axis = LineChart(x: ChartAxis("x"), y: ChartAxis("y"), series: [], width: count * 80)
        let scale = scale(axis, [low, high])
        #expect(scale.ticks.count >= 2 && scale.ticks.count <= count + 2)
        #expect(zip(scale.ticks, scale.ticks.dropFirst()).allSatisfy { $0 < $1 })
        #expect(scale.ticks.first! <= low && scale.ticks.last! >= high)
        #expect(scale.range.lowerBound <= low && scale.range.upperBound >= high)
        let step = scale.ticks[1] - scale.ticks[0]
        let digits = step / pow(10, log10(step * 1.001).rounded(.down))
        #expect([1, 2, 2.5, 5].contains { abs($0 - digits) < 1e-3 }, "step \(step)")
        // Labels are distinct and match the values of the ticks.
        let labels = scale.ticks.map(scale.label)
        #expect(Set(labels).count == labels.count, "\(labels)")
        for (label, tick) in zip(labels, scale.ticks) {
          let value = Double(label.replacingOccurrences(of: "−", with: "-"))! * pow(10, Double(scale.exponent))
          #expect(abs(value - tick) <= step * 1e-3, "\(label) for \(tick)")
        }
      }
    }
  }

  @Test func givenRangesAreKept() {
    let (x, y) = chart.scales()
    #expect(x.range == 0...100 && y.range == 0...1)
    #expect(x.label(x.ticks.first!) == "0" && x.label(x.ticks.last!) == "100")
    var odd = chart
    odd.y.range = 0.13...0.87
    let ticks = odd.scales().y.ticks
    #expect(odd.scales().y.range == 0.13...0.87 && ticks.allSatisfy { (0.13...0.87).contains($0) } && ticks.count > 2)
  }

  @Test func axesAreAsLongAsTheirRanges() {
    var chart = chart
    chart.series = []
    let image = chart.image(scale: 1)
    let (low, high) = (chart.place(x: 0, y: 0), chart.place(x: 100, y: 1))
    let (left, bottom) = (Int(low.x) - 1, Int(low.y))
    #expect(image[left, bottom] == .ink && image[left, Int(high.y)] == .ink && image[left, Int(high.y) - 1] == .white)
    #expect(image[Int(high.x) - 1, bottom] == .ink && image[Int(high.x) + 1, bottom] == .white)
    #expect(image[left - 1, bottom] == .white && image[left, bottom + 1] == .white)
  }

  @Test func curvesPassThroughTheirPoints() {
    // One curve without an interval, so that its color occurs nowhere else.
    let points = [(0.0, 0.1), (30, 0.8), (55, 0.35), (100, 0.6)]
    var chart = chart
    chart.series = [.init("", points.map { .init(x: $0.0, y: $0.1) })]
    let image = chart.image(scale: 1)
    for (x, y) in points { #expect(isCurve(at: chart.place(x: x, y: y), image), "no ink at (\(x), \(y))") }
    // Between points there is a line, and well above it there is none.
    for (a, b) in zip(points, points.dropFirst()) {
      let (x, y) = ((a.0 + b.0) / 2, (a.1 + b.1) / 2)
      #expect(isCurve(at: chart.place(x: x, y: y), image), "no ink at (\(x), \(y))")
      #expect(!isCurve(at: chart.place(x: x, y: y + 0.15), image))
    }
    let large = chart.image(scale: 3)
    #expect(large.width == 3 * image.width && large.height == 3 * image.height)
    let place = chart.place(x: 42.5, y: 0.575)
    #expect(isCurve(at: (place.x * 3, place.y * 3), large))
  }

  @Test func intervalsAreTinted() {
    let image = chart.image(scale: 1)
    let place = chart.place(x: 95, y: 0.9 - 95 / 500.0 + 0.03)
    let color = image[Int(place.x), Int(place.y)]
    #expect(color.blue > color.red && color.red > 190)
  }

  @Test func nonFiniteValuesInterruptTheCurve() {
    let values: [Double] = [0.2, 0.2, .nan, 0.2, 0.2, .infinity, 0.2]
    var chart = chart
    chart.series = [.init("", values.enumerated().map { .init(x: Double($0) * 10, y: $1, lower: .nan, upper: 1) })]
    let image = chart.image(scale: 1)
    #expect(isCurve(at: chart.place(x: 5, y: 0.2), image) && isCurve(at: chart.place(x: 35, y: 0.2), image))
    #expect(!isCurve(at: chart.place(x: 20, y: 0.2), image) && !isCurve(at: chart.place(x: 50, y: 0.2), image))
    #expect(isWellFormed(chart.svg()))
    // A single point has a marker.
    #expect(isCurve(at: chart.place(x: 60, y: 0.2), image))
  }

  @Test func oddDataCanBeDrawn() {
    let cases: [[LineChart.Series]] = [
      [], [.init("none", [])], [.init("one", [.init(x: 3, y: 4)])],
      [.init("equal", [.init(x: 1, y: 2), .init(x: 2, y: 2)])],
      [.init("same", [.init(x: 0, y: 0), .init(x: 0, y: 0)])],
      [.init("none is a number", [.init(x: .nan, y: 1), .init(x: 1, y: -.infinity)])],
      [
        .init(
          "huge",
          [
            .init(x: -1e300, y: 1e308), .init(x: 1e300, y: -1e308),
            .init(x: .leastNonzeroMagnitude, y: -.leastNonzeroMagnitude),
          ])
      ],
      (0..<40).map { .init("series \($0) with a long name that needs room", [.init(x: Double($0), y: 1)]) },
    ]
    for series in cases {
      for width in [160, 400] {
        let chart = LineChart(
          title: "title", x: ChartAxis("x"), y: ChartAxis("y"), series: series, width: width, height: 120)
        #expect(chart.image(scale: 1).width == width)
        #expect(isWellFormed(chart.svg()))
      }
    }
    var outside = chart
    outside.x.range = 40...60
    outside.y.range = 0.7...0.71
    #expect(isWellFormed(outside.svg()))
    for groups in [[], [BarChart.Group("none", [])], [.init("", [.init(.nan)])], [.init("zero", [.init(0)])]] {
      let chart = BarChart(axis: ChartAxis(""), groups: groups, width: 160, height: 120)
      #expect(chart.image(scale: 1).width == 160)
      #expect(isWellFormed(chart.svg()))
    }
  }

  @Test func legendAndTitlesAreAboveTheData() {
    var bare = chart
    bare.title = ""
    for i in bare.series.indices { bare.series[i].points = [] }
    let image = bare.image(scale: 1)
    let top = Int(bare.place(x: 0, y: 1).y)
    let blue = RGBColor.okabeIto[0]
    #expect(ink(image).contains { image[$0.x, $0.y] == blue && $0.y < top })
    #expect(!ink(image).contains { image[$0.x, $0.y] == blue && $0.y >= top })
  }

  @Test func nothingIsClipped() {
    for image in [chart.image(scale: 1), bars.image(scale: 1), narrow.image(scale: 1)] {
      let edge = ink(image).filter { min($0.x, $0.y, image.width - 1 - $0.x, image.height - 1 - $0.y) < 2 }
      #expect(edge.isEmpty)
    }
  }

  private var narrow: LineChart {
    var chart = chart
    (chart.width, chart.height) = (200, 160)
    chart.title += " of many methods, each with a long name, over thresholds that go from nothing to everything"
    chart.x.label = "a label that is much too long for the axis that it belongs to"
    chart.y.label = chart.x.label
    return chart
  }

  @Test func barsEndAtTheirValues() {
    let image = bars.image(scale: 1)
    let (first, second) = (bars.places(inGroup: 0), bars.places(inGroup: 1))
    #expect(first.count == 2 && second.count == 2)
    let zero = first[0].base
    #expect(first.allSatisfy { $0.end < zero } && second[0].end > zero && second[1].end < zero)
    #expect(abs((zero - first[1].end) / (zero - first[0].end) - 2) < 1e-9)
    #expect(abs((second[0].end - zero) / (zero - first[0].end) - 1.5) < 1e-9)
    #expect(first[0].right <= first[1].left)
    let high = BarChart(axis: ChartAxis("share"), groups: [.init("", [.init(900), .init(1000)])]).places(inGroup: 0)
    #expect(abs((high[0].base - high[0].end) / (high[1].base - high[1].end) - 0.9) < 1e-9)
    // Blue up to the value, but not beyond it.
    let bar = first[0]
    let x = Int(bar.left) + 2
    #expect(image[x, Int(bar.end) + 3] == RGBColor.okabeIto[0] && image[x, Int(zero) - 3] == RGBColor.okabeIto[0])
    #expect(image[x, Int(bar.end) - 3] != RGBColor.okabeIto[0])
    // The interval is a dark line that extends beyond the end.
    let beyond = bar.end - (zero - bar.end) * 0.25
    let middle = image[Int((bar.left + bar.right) / 2), Int(beyond)]
    #expect(middle.red < 140 && middle.green < 140 && middle.blue < 140)
  }

  @Test(arguments: [true, false]) func svgIsWellFormedAndContainsAllNames(isLineChart: Bool) throws {
    let svg = isLineChart ? chart.svg() : bars.svg()
    let document = try XMLDocument(xmlString: svg, options: [])
    let root = try #require(document.rootElement())
    #expect(root.name == "svg" && root.attributes?.first { $0.name == "viewBox" }?.stringValue == "0 0 560 380")
    let texts = root.children?.filter { $0.name == "text" }.compactMap(\.stringValue) ?? []
    let expected =
      isLineChart ? ["Pointing & <accuracy>", "energy (%)", "accuracy"] : ["Energy", "VGG16 & <more>", "share"]
    for name in Self.names + expected { #expect(texts.contains(name), "no \(name) in \(texts)") }
    #expect(svg.contains("CLRP1 &lt;other &amp; &quot;all&quot;&gt;"))
    // A white background, and no external references.
    #expect(root.children?.first { $0.name == "rect" } != nil)
    #expect(!svg.contains("href") && !svg.contains("nan") && !svg.contains("inf"))
  }

  @Test func controlCharactersDoNotBreakTheDocument() {
    var chart = chart
    chart.title = "a\u{0}b\u{1B}c\u{FFFE}\td\u{7F}\n<e>"
    chart.series[0].name = "]]>"
    #expect(isWellFormed(chart.svg()))
  }

  @Test func bytesAreReproducible() {
    #expect(chart.svg() == chart.svg() && bars.svg() == bars.svg())
    #expect(chart.image() == chart.image() && bars.image() == bars.image())
  }

  @Test func seriesAreDistinctInGray() {
    // Dashes, markers and hatching differ between the first six series.
    let svg = LineChart(
      x: ChartAxis("x"), y: ChartAxis("y"),
      series: (0..<6).map { .init("\($0)", [.init(x: 0, y: Double($0)), .init(x: 1, y: Double($0))]) }
    ).svg()
    let lines = svg.split(separator: "\n").filter { $0.contains("stroke-width=\"1.8\"") }
    let dashes = lines.map { $0.components(separatedBy: "stroke-dasharray=").dropFirst().first ?? "none" }
    #expect(lines.count == 12 && Set(dashes).count == 6)
  }

  private func scale(_ chart: LineChart, _ values: [Double]) -> ChartScale {
    var chart = chart
    chart.series = [.init("", values.map { .init(x: $0, y: 0) })]
    return chart.scales().x
  }

  private func isWellFormed(_ svg: String) -> Bool {
    (try? XMLDocument(xmlString: svg, options: [])) != nil && !svg.contains("nan") && !svg.contains("inf\"")
  }

  /// Whether the pixel at a position, or an adjacent one, has approximately the first series' color.
  private func isCurve(at place: (x: Double, y: Double), _ image: RGBImage) -> Bool {
    let blue = RGBColor.okabeIto[0]
    return (-1...1).contains { dy in
      (-1...1).contains { dx in
        let color = image[Int(place.x) + dx, Int(place.y) + dy]
        return abs(Int(color.red) - Int(blue.red)) < 60 && abs(Int(color.green) - Int(blue.green)) < 60
          && abs(Int(color.blue) - Int(blue.blue)) < 60
      }
    }
  }
}
