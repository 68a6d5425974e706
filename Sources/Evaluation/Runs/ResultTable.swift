import Foundation
import RelevanceSupport

/// A table of results, as Markdown for readers and as CSV for programs.
public struct ResultTable: Sendable, Hashable {
  /// A cell of the table.
  public enum Cell: Sendable, Hashable {
    /// A name, such as the name of a method.
    case text(String)
    /// A number of things.
    case count(Int)
    /// A number without an interval, in the column's unit.
    case number(Double)
    /// A number with its interval, in the column's unit.
    case estimate(Estimate)
    /// No value.
    case absent
  }

  /// The title.
  public var title: String
  /// The headers of the columns.
  public var columns: [String]
  /// The rows, each with as many cells as there are columns.
  public var rows: [[Cell]]

  package init(title: String, columns: [String], rows: [[Cell]] = []) {
    precondition(rows.allSatisfy { $0.count == columns.count }, "a row and the columns differ in number")
    (self.title, self.columns, self.rows) = (title, columns, rows)
  }

  /// Makes a table with one row per method: its name, and the cells for the method with an index.
  init(title: String, columns: [String], methods: [String], _ cells: (Int) -> [Cell]) {
    self.init(title: title, columns: columns, rows: methods.enumerated().map { [.text($1)] + cells($0) })
  }

  /// The table as Markdown. Numbers have four decimals, and intervals follow their values.
  ///
  /// - Complexity: O(cells).
  public var markdown: String {
    let lines =
      [columns.map(Markdown.escaped), columns.map { _ in "---" }] + rows.map { $0.map(\.markdown) }
    return "### \(Markdown.escaped(title))\n\n" + lines.map { "| \($0.joined(separator: " | ")) |\n" }.joined()
  }

  /// The table as CSV (RFC 4180). Numbers have all digits, and intervals have two separate columns.
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

  /// A number with four decimals.
  static func short(_ number: Double) -> String { String(format: "%.4f", number) }

  /// A fraction as a percentage with at most two decimals.
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

  /// The value and, for an estimate, its interval; empty for an absent value.
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
