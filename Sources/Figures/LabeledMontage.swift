import RelevanceImaging

/// Images in a grid with labels, as in a figure: a title, row titles, a caption for each image, and a color bar for all
/// heatmaps. The background is white; a pale rim marks the edges of images.
public struct LabeledMontage: Sendable {
  /// An image with its caption.
  public struct Cell: Hashable, Sendable {
    package var image: RGBImage
    package var caption: String

    /// Creates a cell from an image, shown pixel by pixel, and its caption, such as a class's name and probability. The
    /// caption has at most two lines that are no wider than the column; a line break starts the second line, and text
    /// that does not fit is shortened.
    public init(_ image: RGBImage, caption: String = "") { (self.image, self.caption) = (image, caption) }
  }

  /// A row of the grid.
  public struct Row: Hashable, Sendable {
    package var title: String
    package var cells: [Cell]

    /// Creates a row; its title, which may be empty, runs upward on the left side.
    public init(title: String = "", _ cells: [Cell]) { (self.title, self.cells) = (title, cells) }
  }

  /// The position of captions.
  public enum CaptionPlace: Sendable {
    /// Above the image.
    case above
    /// Below the image.
    case below
  }

  private let title: String
  package var rows: [Row]
  package var colorBar: ColorBar?
  private let captionPlace: CaptionPlace
  private let textSize: Double
  private let margin: Int

  /// Creates a labeled grid.
  ///
  /// - Parameters:
  ///   - title: the text at the top; may be empty.
  ///   - rows: the rows of the grid; they may differ in length.
  ///   - colorBar: the legend of the colors, at the bottom; nil for none.
  ///   - captionPlace: the position of captions.
  ///   - textSize: the type size of captions in pixels, 1 to 1000.
  ///   - margin: the space between images and around the montage, in pixels.
  public init(
    title: String = "", rows: [Row], colorBar: ColorBar? = nil, captionPlace: CaptionPlace = .below,
    textSize: Double = 13, margin: Int = 8
  ) {
    (self.title, self.rows, self.colorBar, self.captionPlace) = (title, rows, colorBar, captionPlace)
    (self.textSize, self.margin) = (textSize >= 1 ? min(textSize, 1000) : 1, max(margin, 0))
  }

  /// The montage as one image. A column is as wide as its widest image; smaller images are centered in their column and
  /// row.
  public func image() -> RGBImage {
    let layout = Layout(self)
    var image = RGBImage(width: layout.width, height: layout.height, filledWith: .white)
    let middle = (layout.left + layout.right) / 2
    var y = margin
    for line in layout.title {
      image.draw(line, x: middle, y: y, anchor: .middle)
      y += Int(line.height)
    }
    for place in layout.cells { image.outline(place.image) }
    for place in layout.cells {
      image.paste(place.cell.image, x: place.image.left, y: place.image.top)
      var y = place.captionTop
      for line in place.caption {
        image.draw(line, x: place.center, y: y, anchor: .middle)
        y += Int(line.height)
      }
    }
    for (row, rows) in zip(self.rows, layout.rows) where !row.title.isEmpty {
      let label = TextLabel(row.title, size: textSize).shortened(to: Double(rows.count))
      let baseline = SIMD2(Double(margin) + label.ascent, Double(rows.lowerBound + rows.upperBound) / 2)
      image.draw(label, baseline: baseline, anchor: .middle, isUpward: true, in: image.frame)
    }
    colorBar?.draw(in: &image, left: layout.left, right: layout.right, y: layout.barTop, textSize: textSize)
    return image
  }

  /// The places of cells in `image()`, row by row: the image, and the rectangle of its caption.
  package func places() -> [(image: PixelRectangle, caption: PixelRectangle)] {
    Layout(self).cells.map { place in
      let height = place.caption.reduce(0) { $0 + Int($1.height) }
      let caption = PixelRectangle(
        left: place.columns.lowerBound, top: place.captionTop, width: place.columns.count, height: height)
      return (place.image, caption)
    }
  }
}

package struct PixelRectangle: Hashable, Sendable {
  package var left, top, width, height: Int

  package init(left: Int, top: Int, width: Int, height: Int) {
    (self.left, self.top, self.width, self.height) = (left, top, width, height)
  }
}

extension LabeledMontage {
  fileprivate struct Layout {
    struct Place {
      let cell: Cell
      let columns: Range<Int>
      let image: PixelRectangle
      let caption: [TextLabel]
      let captionTop: Int
      var center: Int { (columns.lowerBound + columns.upperBound) / 2 }
    }

    let width: Int
    let height: Int
    /// The first column of the grid, and the column after its last.
    let left: Int
    let right: Int
    let title: [TextLabel]
    /// The rows of pixels of the images in each row of the grid, without captions.
    private(set) var rows: [Range<Int>] = []
    private(set) var cells: [Place] = []
    let barTop: Int

    init(_ montage: LabeledMontage) {
      let margin = montage.margin
      let line = Int(TextLabel("", size: montage.textSize).height)
      let widths = Montage.columnWidths(montage.rows.map { $0.cells.map(\.image) })
      left = margin + (montage.rows.allSatisfy(\.title.isEmpty) ? 0 : line + 4)
      let gridWidth = widths.reduce(0, +) + margin * max(widths.count - 1, 0)
      // A color bar remains legible below the smallest image.
      right = left + max(gridWidth, montage.colorBar == nil ? 0 : ColorBar.smallestWidth)
      width = right + margin
      title = TextLabel(montage.title, size: montage.textSize * 1.2).lines(fitting: Double(right - left))
      var top = margin + title.reduce(0) { $0 + Int($1.height) } + (title.isEmpty ? 0 : 6)
      for row in montage.rows {
        let captions = zip(row.cells, widths).map {
          TextLabel($0.caption, size: montage.textSize).lines(fitting: Double($1))
        }
        let captionHeight = line * (captions.map(\.count).max() ?? 0)
        let gap = captionHeight == 0 ? 0 : Self.captionGap
        let rowHeight = row.cells.map(\.image.height).max() ?? 0
        let imagesTop = top + (montage.captionPlace == .above ? captionHeight + gap : 0)
        rows.append(imagesTop..<imagesTop + rowHeight)
        var x = left + (right - left - gridWidth) / 2
        for (i, cell) in row.cells.enumerated() {
          let (image, own) = (cell.image, line * captions[i].count)
          let place = PixelRectangle(
            left: x + (widths[i] - image.width) / 2, top: imagesTop + (rowHeight - image.height) / 2,
            width: image.width, height: image.height)
          let captionTop =
            montage.captionPlace == .above ? imagesTop - gap - own : imagesTop + rowHeight + gap
          cells.append(
            Place(cell: cell, columns: x..<x + widths[i], image: place, caption: captions[i], captionTop: captionTop))
          x += widths[i] + margin
        }
        top += captionHeight + gap + rowHeight + margin
      }
      barTop = top
      height = top + (montage.colorBar.map { $0.height(textSize: montage.textSize) + margin } ?? 0)
    }

    private static let captionGap = 3
  }
}

extension RGBImage {
  /// Draws a pale rim just outside a rectangle, as far as it is inside the image.
  fileprivate mutating func outline(_ rectangle: PixelRectangle) {
    guard rectangle.width > 0, rectangle.height > 0 else { return }
    let rim = RGBColor(red: 210, green: 210, blue: 210)
    for y in max(rectangle.top - 1, 0)..<min(rectangle.top + rectangle.height + 1, height) {
      for x in max(rectangle.left - 1, 0)..<min(rectangle.left + rectangle.width + 1, width) { self[x, y] = rim }
    }
  }

  /// Copies an image that fits inside this one.
  mutating func paste(_ image: RGBImage, x left: Int, y top: Int) {
    for y in 0..<image.height { for x in 0..<image.width { self[left + x, top + y] = image[x, y] } }
  }
}
