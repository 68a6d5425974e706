/// Where the pixels of a picture are in the network's input: `x ↦ x · scaleX + shiftX`, and the same for rows.
public struct PixelPlacement: Hashable, Sendable {
  /// Input pixels per pixel of the picture, from left to right.
  public let scaleX: Double
  /// The same from top to bottom.
  public let scaleY: Double
  /// The input's column at which the picture's left side is; negative if the crop cuts it off.
  public let shiftX: Double
  /// The input's row at which the picture's upper side is.
  public let shiftY: Double
  /// The number of columns of the input.
  public let width: Int
  /// The number of rows of the input.
  public let height: Int
}

extension Preprocessing {
  /// Where the pixels of an upright picture of this size go: what `visible(_:)` does to it.
  public func placement(ofWidth width: Int, height: Int) -> PixelPlacement {
    let size = resizedSize(ofWidth: width, height: height)
    let window = crop ?? Crop(width: size.width, height: size.height)
    return PixelPlacement(
      scaleX: Double(size.width) / Double(max(width, 1)), scaleY: Double(size.height) / Double(max(height, 1)),
      shiftX: -Double(Self.offset(of: window.width, in: size.width)),
      shiftY: -Double(Self.offset(of: window.height, in: size.height)), width: window.width, height: window.height)
  }
}
