/// Text in columns.
package enum Columns {
  /// Aligns rows of cells in columns, with two spaces between columns. Columns from `rightAligned` on are aligned to
  /// the right.
  package static func text(_ rows: [[String]], rightAligned: PartialRangeFrom<Int> = Int.max...) -> String {
    let rows = rows.map { $0.map(\.printable) }
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let filler = String(repeating: " ", count: widths[column] - cell.count)
        if rightAligned.contains(column) { return filler + cell }
        return column == row.count - 1 ? cell : cell + filler
      }
      let line = cells.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }
}
