import RelevanceImaging

/// Images in a grid, on white.
public struct Montage: Sendable {
  package var rows: [[RGBImage]]
  private let margin: Int

  /// Creates a grid from its rows, which may differ in length. The margin is between images and around the montage, in
  /// pixels; negative margins count as 0.
  public init(rows: [[RGBImage]], margin: Int = 8) {
    (self.rows, self.margin) = (rows, max(margin, 0))
  }

  /// Creates a grid that is filled row by row with this many columns, at least one.
  public init(_ images: [RGBImage], columns: Int, margin: Int = 8) {
    let columns = max(columns, 1)
    let rows = stride(from: 0, to: images.count, by: columns).map {
      Array(images[$0..<min($0 + columns, images.count)])
    }
    self.init(rows: rows, margin: margin)
  }

  /// The montage as one image. A column is as wide as its widest image and a row as high as its highest; smaller images
  /// are centered.
  public func image() -> RGBImage {
    let widths = Self.columnWidths(rows)
    let heights = rows.map { $0.map(\.height).max() ?? 0 }
    let width = widths.reduce(margin) { $0 + $1 + margin }
    let height = heights.reduce(margin) { $0 + $1 + margin }
    var image = RGBImage(width: width, height: height, filledWith: .white)
    var top = margin
    for (row, rowHeight) in zip(rows, heights) {
      var left = margin
      for (cell, columnWidth) in zip(row, widths) {
        image.paste(cell, x: left + (columnWidth - cell.width) / 2, y: top + (rowHeight - cell.height) / 2)
        left += columnWidth + margin
      }
      top += rowHeight + margin
    }
    return image
  }

  /// The widths of the columns of some rows: the width of the widest image in each.
  static func columnWidths(_ rows: [[RGBImage]]) -> [Int] {
    let count = rows.map(\.count).max() ?? 0
    return (0..<count).map { column -> Int in
      let widths = rows.map { row -> Int in column < row.count ? row[column].width : 0 }
      return widths.max() ?? 0
    }
  }
}
