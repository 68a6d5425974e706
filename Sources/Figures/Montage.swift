import RelevanceImaging

/// Pictures in a grid, on white.
public struct Montage: Sendable {
  package var rows: [[RGBImage]]
  private let margin: Int

  /// Makes a grid from its rows, which may differ in length; the margin is between pictures and around the whole, in pixels; a
  /// negative one is none.
  public init(rows: [[RGBImage]], margin: Int = 8) {
    (self.rows, self.margin) = (rows, max(margin, 0))
  }

  /// Makes a grid that is filled row by row with this many columns, at least one.
  public init(_ pictures: [RGBImage], columns: Int, margin: Int = 8) {
    let columns = max(columns, 1)
    let rows = stride(from: 0, to: pictures.count, by: columns).map {
      Array(pictures[$0..<min($0 + columns, pictures.count)])
    }
    self.init(rows: rows, margin: margin)
  }

  /// The montage as one picture. A column is as wide as its widest picture and a row as high as its highest; smaller
  /// pictures are centered.
  public func image() -> RGBImage {
    let widths = Self.columnWidths(rows)
    let heights = rows.map { $0.map(\.height).max() ?? 0 }
    let width = widths.reduce(margin) { $0 + $1 + margin }
    let height = heights.reduce(margin) { $0 + $1 + margin }
    var image = RGBImage(width: width, height: height, filledWith: .white)
    var top = margin
    for (row, rowHeight) in zip(rows, heights) {
      var left = margin
      for (picture, columnWidth) in zip(row, widths) {
        image.paste(picture, x: left + (columnWidth - picture.width) / 2, y: top + (rowHeight - picture.height) / 2)
        left += columnWidth + margin
      }
      top += rowHeight + margin
    }
    return image
  }

  /// The widths of the columns of some rows: of the widest picture in each.
  static func columnWidths(_ rows: [[RGBImage]]) -> [Int] {
    (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.map { column < $0.count ? $0[column].width : 0 }.max() ?? 0
    }
  }
}
