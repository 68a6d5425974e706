/// How the stored rows and columns of an image relate to its intended orientation (EXIF tag 0x0112).
package enum Orientation: Int, CaseIterable, Sendable {
  /// Stored upright.
  case upright = 1
  /// Left and right are exchanged.
  case mirrored
  /// Rotated by 180°.
  case upsideDown
  /// Top and bottom are exchanged.
  case flipped
  /// Rows and columns are exchanged.
  case transposed
  /// Stored rotated to the left by 90°.
  case turnedLeft
  /// Rows and columns are exchanged, and the lower right corner comes first.
  case transverse
  /// Stored rotated to the right by 90°.
  case turnedRight

  /// Whether stored rows are displayed as columns.
  package var swapsAxes: Bool { rawValue >= 5 }

  /// Whether left and right are exchanged, after rows and columns are in order.
  var mirrorsColumns: Bool { [.mirrored, .upsideDown, .turnedLeft, .transverse].contains(self) }

  /// Whether top and bottom are exchanged, after rows and columns are in order.
  var mirrorsRows: Bool { [.upsideDown, .flipped, .transverse, .turnedRight].contains(self) }

  /// The orientation in an EXIF block or, if it has none, in an XMP packet, as in Pillow. It is `upright` if neither
  /// has one or the data are damaged, as in image viewers.
  init(exif: UnsafeBufferPointer<UInt8>, xmp: UnsafeBufferPointer<UInt8>) {
    var block = exif[...]
    // Some writers add the header of JPEG's marker in other formats, too.
    while block.starts(with: Self.head) { block = block.dropFirst(Self.head.count) }
    let tag = Orientation.tag(in: UnsafeBufferPointer(rebasing: block)) ?? Orientation.tag(inPacket: xmp)
    self = tag.flatMap(Orientation.init(rawValue:)) ?? .upright
  }

  private static let head = Array("Exif\0\0".utf8)

  /// The digit after the first `tiff:Orientation="` or `tiff:Orientation>`.
  private static func tag(inPacket xmp: UnsafeBufferPointer<UInt8>) -> Int? {
    let text = String(decoding: xmp, as: UTF8.self)
    return text.firstMatch(of: /tiff:Orientation(?:="|>)([0-9])/).flatMap { Int($0.1) }
  }

  /// The value of tag 0x0112 in the first directory of a TIFF structure.
  private static func tag(in exif: UnsafeBufferPointer<UInt8>) -> Int? {
    guard exif.count >= 8, exif[0] == exif[1], exif[0] == 0x49 || exif[0] == 0x4D else { return nil }
    let littleEndian = exif[0] == 0x49
    func number(at offset: Int, bytes: Int) -> Int? {
      guard offset >= 0, offset <= exif.count - bytes else { return nil }
      return (0..<bytes).reduce(0) { $0 << 8 | Int(exif[offset + (littleEndian ? bytes - 1 - $1 : $1)]) }
    }
    guard number(at: 2, bytes: 2) == 42, let directory = number(at: 4, bytes: 4),
      let entries = number(at: directory, bytes: 2)
    else { return nil }
    for entry in 0..<entries {
      let start = directory + 2 + 12 * entry
      guard let tag = number(at: start, bytes: 2) else { return nil }
      guard tag == 0x0112, let type = number(at: start + 2, bytes: 2) else { continue }
      // The standard requires SHORT, but LONG occurs, too.
      return number(at: start + 8, bytes: type == 4 ? 4 : 2)
    }
    return nil
  }
}

extension RGBImage {
  /// The image in its intended orientation, given the orientation of the stored pixels.
  func oriented(_ orientation: Orientation) -> RGBImage {
    guard orientation != .upright else { return self }
    let (newWidth, newHeight) = orientation.swapsAxes ? (height, width) : (width, height)
    // The source position of target (x, y): start + x·stepX + y·stepY, counted in pixels.
    var (start, stepX, stepY) = orientation.swapsAxes ? (0, width, 1) : (0, 1, width)
    if orientation.mirrorsColumns { (start, stepX) = (start + (newWidth - 1) * stepX, -stepX) }
    if orientation.mirrorsRows { (start, stepY) = (start + (newHeight - 1) * stepY, -stepY) }
    return RGBImage(width: newWidth, height: newHeight) { target in
      pixels.withUnsafeBufferPointer { source in
        var to = 0
        for y in 0..<newHeight {
          var from = (start + y * stepY) * 3
          for _ in 0..<newWidth {
            target[to] = source[from]
            target[to + 1] = source[from + 1]
            target[to + 2] = source[from + 2]
            to += 3
            from += stepX * 3
          }
        }
      }
    }
  }
}
