/// Where the pixels of a picture, as it is stored, are in the network's input.
///
/// The picture is turned upright first; of the upright picture `x ↦ x · scaleX + shiftX`, and the same for rows.
package struct PixelPlacement: Hashable, Sendable {
  /// Input pixels per pixel of the upright picture, from left to right.
  package let scaleX: Double
  /// The same from top to bottom.
  package let scaleY: Double
  /// The input's column at which the upright picture's left side is; negative if the crop cuts it off.
  package let shiftX: Double
  /// The input's row at which the upright picture's upper side is.
  package let shiftY: Double
  /// The number of columns of the input.
  package let width: Int
  /// The number of rows of the input.
  package let height: Int
  /// How the picture is stored.
  package let orientation: Orientation
  private let uprightWidth: Int
  private let uprightHeight: Int

  fileprivate init(
    scaleX: Double, scaleY: Double, shiftX: Double, shiftY: Double, window: Preprocessing.Crop,
    orientation: Orientation, uprightWidth: Int, uprightHeight: Int
  ) {
    (self.scaleX, self.scaleY, self.shiftX, self.shiftY) = (scaleX, scaleY, shiftX, shiftY)
    (width, height) = (window.width, window.height)
    (self.orientation, self.uprightWidth, self.uprightHeight) = (orientation, uprightWidth, uprightHeight)
  }

  /// Where a point of the stored picture is in the input, in which it may not be; (0, 0) is the outer corner of the upper left
  /// pixel of both.
  package func place(x: Double, y: Double) -> (x: Double, y: Double) {
    var (column, row) = orientation.swapsAxes ? (y, x) : (x, y)
    if orientation.mirrorsColumns { column = Double(uprightWidth) - column }
    if orientation.mirrorsRows { row = Double(uprightHeight) - row }
    return (column * scaleX + shiftX, row * scaleY + shiftY)
  }
}

extension Preprocessing {
  /// Where the pixels of a picture go: what `visible(_:)` does to it.
  ///
  /// - Parameters:
  ///   - width: the number of columns of the upright picture.
  ///   - height: its number of rows.
  ///   - orientation: how it is stored.
  package func placement(
    ofWidth width: Int, height: Int, storedAs orientation: Orientation = .upright
  ) -> PixelPlacement {
    let size = resizedSize(ofWidth: width, height: height)
    let window = crop ?? Crop(width: size.width, height: size.height)
    return PixelPlacement(
      scaleX: Double(size.width) / Double(max(width, 1)), scaleY: Double(size.height) / Double(max(height, 1)),
      shiftX: -Double(Self.offset(of: window.width, in: size.width)),
      shiftY: -Double(Self.offset(of: window.height, in: size.height)), window: window, orientation: orientation,
      uprightWidth: width, uprightHeight: height)
  }
}
