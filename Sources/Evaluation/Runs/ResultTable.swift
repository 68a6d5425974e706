import Foundation
import RelevanceSupport

/// A table of results, for people and for programs.
public struct ResultTable: Sendable, Hashable {
  /// What is in a place of the table.
  public enum Cell: Sendable, Hashable {
    /// A name, such as a method's.
    case text(String)
    /// How many there are.
    case count(Int)
    /// A number without an interval, in the column's unit.
    case number(Double)
    /// A number with its interval, in the column's unit.
    case estimate(Estimate)
    /// Nothing was measured.
    case absent
  }

  /// What it shows.
  public var title: String
  /// The heads of its columns.
  public var columns: [String]
  /// Its rows, each as long as `columns`.
  public var rows: [[Cell]]

  package init(title: String, columns: [String], rows: [[Cell]] = []) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a row is not as long as the table is wide")
    (self.title, self.columns, self.rows) = (title, columns, rows)
  }

  /// Makes a table with a row for each method: its name, and what is measured of the one with an index.
  init(title: String, columns: [String], methods: [String], _ cells: (Int) -> [Cell]) {
    self.init(title: title, columns: columns, rows: methods.enumerated().map { [.text($1)] + cells($0) })
  }

  /// As Markdown, numbers with four digits behind the point, intervals behind their values.
  ///
  /// - Complexity: O(cells).
  public var markdown: String {
    let lines =
      [columns.map(Markdown.escaped), columns.map { _ in "---" }] + rows.map { $0.map(\.markdown) }
    return "### \(Markdown.escaped(title))\n\n" + lines.map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  /// As CSV (RFC 4180), numbers with all their digits, an interval in two columns of its own.
  ///
  /// - Complexity: O(cells).
  public var csv: String {
    let wide = columns.indices.map { column in
      rows.contains { if case .estimate = $0[column] { true } else { false } }
    }
    let head = zip(columns, wide).flatMap { $1 ? [$0, "\($0) low", "\($0) high"] : [$0] }
      .map { CommaSeparatedValues.field(text: $0) }
    let body = rows.map { row in zip(row, wide).flatMap { $1 ? $0.fields : [$0.fields[0]] } }
    return CommaSeparatedValues.text([head] + body, lineEnd: "\r\n")
  }

  /// A number with four digits behind the point.
  static func short(_ number: Double) -> String { String(format: "%.4f", number) }

  /// A share as a percentage, without digits that say nothing.
  static func percent(_ share: Double) -> String { String(format: "%g %%", (share * 10000).rounded() / 100) }
}

extension ResultTable.Cell {
  fileprivate var markdown: String {
    func short(_ number: Double) -> String { ResultTable.short(number) }
    return switch self {
    case .text(let text): Markdown.escaped(text)
    case .count(let count): String(count)
    case .number(let number): short(number)
    case .estimate(let estimate): "\(short(estimate.value)) [\(short(estimate.low)), \(short(estimate.high))]"
    case .absent: "–"
    }
  }

  /// The value and, of an estimate, its interval; empty where there is none.
  fileprivate var fields: [String] {
    switch self {
    case .text(let text): [CommaSeparatedValues.field(text: text), "", ""]
    case .count(let count): [String(count), "", ""]
    case .number(let number): ["\(number)", "", ""]
    case .estimate(let estimate): ["\(estimate.value)", "\(estimate.low)", "\(estimate.high)"]
    case .absent: ["", "", ""]
    }
  }
}
