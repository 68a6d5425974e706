import RelevanceFigures
import RelevanceImaging

/// A figure for an item, and its file name without extension.
package typealias EvaluationFigure = (name: String, image: RGBImage)

/// A chart of results.
public struct EvaluationChart: Sendable {
  /// The file name without extension.
  public let name: String
  fileprivate let chart: any Chart

  /// A self-contained SVG document.
  ///
  /// - Complexity: O(values); the chart is drawn on every access.
  public var svg: String { chart.svg() }

  /// The chart as pixels, with two pixels per CSS pixel.
  ///
  /// - Complexity: O(pixels); the chart is drawn on every access.
  public var image: RGBImage { chart.image() }
}

extension ResultTable {
  /// A bar chart of some columns, grouped by the first column, with confidence intervals.
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

  /// A line chart of all columns except the first, with the given x values and confidence intervals.
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
