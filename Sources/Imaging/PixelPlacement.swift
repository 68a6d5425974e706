/// Where the pixels of a picture, as it is stored, are in the network's input.
///
/// The picture is turned upright first; of the upright picture `x ↦ x · scaleX + shiftX`, and the same for rows.
package struct PixelPlacement: Hashable, Sendable {
  /// Input pixels per pixel of the upright picture.
  package let scaleX, scaleY: Double
  /// Where in the input the upright picture's upper left corner is; negative if the crop cuts it off.
  package let shiftX, shiftY: Double
  /// The input's extent.
  package let width, height: Int
  /// How the picture is stored.
  package let orientation: Orientation
  fileprivate let uprightWidth, uprightHeight: Int

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
  /// Where the pixels of a picture go: what `visible(_:)` does to it; its extent is that of the upright picture.
  package func placement(
    ofWidth width: Int, height: Int, storedAs orientation: Orientation = .upright
  ) -> PixelPlacement {
    let size = resizedSize(ofWidth: width, height: height)
    let window = crop ?? Crop(width: size.width, height: size.height)
    return PixelPlacement(
      scaleX: Double(size.width) / Double(max(width, 1)), scaleY: Double(size.height) / Double(max(height, 1)),
      shiftX: -Double(cropRounding.offset(of: window.width, in: size.width)),
      shiftY: -Double(cropRounding.offset(of: window.height, in: size.height)), width: window.width,
      height: window.height,
      orientation: orientation, uprightWidth: width, uprightHeight: height)
  }
}
