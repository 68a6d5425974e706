import RelevanceFigures
import RelevanceImaging

/// A figure of an item, with its name as a file without extension.
package typealias EvaluationFigure = (name: String, image: RGBImage)

/// A result drawn.
public struct EvaluationChart: Sendable {
  /// What it is called, as a file without extension.
  public let name: String
  fileprivate let chart: any Chart

  /// A self-contained SVG document.
  ///
  /// - Complexity: O(values): drawn anew each time.
  public var svg: String { chart.svg() }

  /// The same as pixels, two to a CSS pixel.
  ///
  /// - Complexity: O(pixels): drawn anew each time.
  public var image: RGBImage { chart.image() }
}

extension ResultTable {
  /// Some columns as bars, grouped by the first column, with their intervals.
  func bars(_ name: String, of columns: [String], title: String? = nil, label: String) -> EvaluationChart {
    let indices = columns.compactMap { self.columns.firstIndex(of: $0) }
    let chart = BarChart(
      title: title ?? self.title, axis: ChartAxis(label), series: columns.count > 1 ? columns : [],
      groups: rows.map { row in
        BarChart.Group(
          row[0].name,
          indices.map { index in
            guard case .estimate(let estimate) = row[index] else { return BarChart.Bar(.nan) }
            return BarChart.Bar(estimate.value, lower: estimate.low, upper: estimate.high)
          })
      })
    return EvaluationChart(name: name, chart: chart)
  }

  /// All columns but the first as curves over given places, with their intervals.
  func curves(_ name: String, at places: [Double], title: String, x: ChartAxis, y: ChartAxis) -> EvaluationChart {
    let chart = LineChart(
      title: title, x: x, y: y,
      series: columns.indices.dropFirst().map { column in
        LineChart.Series(
          columns[column],
          zip(places, rows).compactMap { place, row in
            guard case .estimate(let estimate) = row[column] else { return nil }
            return LineChart.Point(x: place, y: estimate.value, lower: estimate.low, upper: estimate.high)
          })
      })
    return EvaluationChart(name: name, chart: chart)
  }
}

extension ResultTable.Cell {
  fileprivate var name: String { if case .text(let text) = self { text } else { "" } }
}
