import RelevanceImaging

/// The legend of heatmap colors: a bar from −limit over 0 to +limit, or from 0 to limit for sequential colors, with
/// these numbers below it.
public struct ColorBar: Hashable, Sendable {
  /// The kind of heatmap image that the bar explains.
  public enum Style: Sendable {
    /// Images of `Heatmap.image(pixelsPerPosition:)`.
    case image
    /// Images of `Heatmap.overlay(on:)`, where the image below is white.
    case overlay
  }

  package var limit: Float
  private let label: String
  package var style: Style
  package var colors: HeatmapColors

  package init(
    limit: Float, label: String = "relevance", style: Style = .image, colors: HeatmapColors = .diverging
  ) {
    (self.limit, self.label, self.style, self.colors) = (limit, label, style, colors)
  }

  /// Creates a bar for heatmaps with the scale of the given one; see `HeatmapScale.common(_:_:)`. `label` is written
  /// below the numbers and may be empty.
  public init(_ heatmap: Heatmap, label: String = "relevance", style: Style = .image) {
    self.init(limit: heatmap.limit, label: label, style: style, colors: heatmap.colors)
  }

  static let smallestWidth = 150
  private static let largestWidth = 280
  private static let thickness = 10

  func height(textSize: Double) -> Int {
    Self.thickness + 3 + Int(TextLabel("", size: textSize).height) * (label.isEmpty ? 1 : 2)
  }

  /// Draws the bar centered between two columns.
  func draw(in image: inout RGBImage, left: Int, right: Int, y top: Int, textSize: Double) {
    let width = min(right - left, Self.largestWidth)
    let start = (left + right - width) / 2
    let ramp = Heatmap.colorBar(width: width, height: Self.thickness, colors: colors, asOverlay: style == .overlay)
    for y in 0..<Self.thickness {
      for x in 0..<width {
        let isRim = x == 0 || y == 0 || x == width - 1 || y == Self.thickness - 1
        image[start + x, top + y] = isRim ? Self.rim : ramp[x, y]
      }
    }
    var y = top + Self.thickness + 3
    let number = numberText(Double(limit), digits: 3)
    let ticks =
      colors == .diverging
      ? [("−\(number)", start, TextAnchor.start), ("0", start + width / 2, .middle), (number, start + width, .end)]
      : [("0", start, .start), (number, start + width, .end)]
    for (text, x, anchor) in ticks { image.draw(TextLabel(text, size: textSize), x: x, y: y, anchor: anchor) }
    guard !label.isEmpty else { return }
    let line = TextLabel(label, size: textSize).shortened(to: Double(right - left))
    y += Int(line.height)
    image.draw(line, x: start + width / 2, y: y, anchor: .middle)
  }

  private static let rim = RGBColor(red: 150, green: 150, blue: 150)
}
