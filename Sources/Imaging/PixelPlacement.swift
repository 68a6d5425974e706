/// The position of a stored image's pixels in the network's input.
///
/// The image is first rotated upright. Coordinates of the upright image then map to `x ↦ x · scaleX + shiftX`, and rows
/// in the same way.
package struct PixelPlacement: Hashable, Sendable {
  /// Input pixels per pixel of the upright image.
  package let scaleX, scaleY: Double
  /// The position of the upright image's upper left corner in the input; negative if the crop cuts it off.
  package let shiftX, shiftY: Double
  /// The extent of the input.
  package let width, height: Int
  /// The orientation of the stored image.
  package let orientation: Orientation
  fileprivate let uprightWidth, uprightHeight: Int

  /// The position in the input of a point of the stored image; it can be outside the input. (0, 0) is the outer corner
  /// of the upper left pixel of both.
  package func place(x: Double, y: Double) -> (x: Double, y: Double) {
    var (column, row) = orientation.swapsAxes ? (y, x) : (x, y)
    if orientation.mirrorsColumns { column = Double(uprightWidth) - column }
    if orientation.mirrorsRows { row = Double(uprightHeight) - row }
    return (column * scaleX + shiftX, row * scaleY + shiftY)
  }
}

extension Preprocessing {
  /// The placement of an image's pixels by `visible(_:)`; width and height are those of the upright image.
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
