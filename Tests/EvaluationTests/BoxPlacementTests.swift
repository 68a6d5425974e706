import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The positions of boxes after preprocessing, compared with rectangles drawn into images.
@Suite struct BoxPlacementTests {
  private static let preprocessings: [Preprocessing] = [
    Preprocessing(resize: nil, crop: nil),
    Preprocessing(resize: nil, crop: .init(width: 41, height: 30)),
    Preprocessing(resize: nil, crop: .init(width: 151, height: 120)),
    Preprocessing(resize: .shortestEdge(64), crop: nil),
    Preprocessing(resize: .shortestEdge(200), crop: .init(width: 180, height: 180)),
    Preprocessing(resize: .shortestEdge(61), crop: .init(width: 50, height: 48)),
    Preprocessing(resize: .longestEdge(87), crop: .init(width: 91, height: 90)),
    Preprocessing(resize: .exact(width: 77, height: 140), resampling: .nearest, crop: nil),
    Preprocessing(resize: .exact(width: 130, height: 55), resampling: .bicubic, crop: .init(width: 101, height: 70)),
  ]
  private static let boxes = [
    BoundingBox(left: 20, top: 15, right: 60, bottom: 70), BoundingBox(left: 0, top: 0, right: 30, bottom: 25),
    BoundingBox(left: 70, top: 40, right: 110, bottom: 83), BoundingBox(left: 0, top: 0, right: 110, bottom: 83),
  ]

  @Test(arguments: preprocessings, Orientation.allCases)
  func boxesFollowTheirPixels(_ preprocessing: Preprocessing, _ orientation: Orientation) throws {
    let scratch = try Fixtures.Scratch()
    for box in Self.boxes {
      var stored = RGBImage(width: 110, height: 83, filledWith: .black)
      for y in Int(box.top)..<Int(box.bottom) { for x in Int(box.left)..<Int(box.right) { stored[x, y] = .white } }
      let path = scratch.path("marked.png")
      try png(stored, orientation).write(to: URL(fileURLWithPath: path))
      let image = try RGBImage.read(path)
      #expect(image.orientation == orientation)
      let visible = try preprocessing.visible(image.upright)
      let placement = preprocessing.placement(
        ofWidth: image.upright.width, height: image.upright.height, storedAs: image.orientation)
      #expect(placement.width == visible.width && placement.height == visible.height)
      let found = marked(visible)
      let placed = box.placed(by: placement)
      guard let found, let placed else {
        // A box of less than a pixel can be invisible.
        #expect(found.map(thickness) ?? 0 <= 1 && placed.map(thickness) ?? 0 <= 1)
        continue
      }
      for side in [\BoundingBox.left, \.top, \.right, \.bottom] {
        #expect(abs(found[keyPath: side] - placed[keyPath: side]) <= 1, "\(side) of \(placed), found \(found)")
      }
    }
  }

  @Test func boxesOutsideTheCropAreRemoved() {
    let placement = Preprocessing(resize: nil, crop: .init(width: 10, height: 10)).placement(ofWidth: 100, height: 10)
    #expect(BoundingBox(left: 0, top: 0, right: 45, bottom: 10).placed(by: placement) == nil)
    #expect(
      BoundingBox(left: 0, top: -5, right: 46, bottom: 20).placed(by: placement)
        == BoundingBox(left: 0, top: 0, right: 1, bottom: 10))
    #expect(BoundingBox(left: 52, top: 5, right: 48, bottom: 8).placed(by: placement) == nil)
  }

  /// The rectangle of white pixels.
  private func marked(_ image: RGBImage) -> BoundingBox? {
    let columns = (0..<image.width).filter { x in (0..<image.height).contains { image[x, $0].red > 127 } }
    let rows = (0..<image.height).filter { y in columns.contains { image[$0, y].red > 127 } }
    guard let left = columns.first, let top = rows.first else { return nil }
    return BoundingBox(
      left: Double(left), top: Double(top), right: Double(columns.last! + 1), bottom: Double(rows.last! + 1))
  }

  private func thickness(_ box: BoundingBox) -> Double { min(box.right - box.left, box.bottom - box.top) }

  /// A PNG with an EXIF block that contains only an orientation.
  private func png(_ image: RGBImage, _ orientation: Orientation) throws -> Data {
    let exif: [UInt8] = [
      0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, UInt8(orientation.rawValue), 0, 0, 0, 0, 0,
      0,
    ]
    let body = Array("eXIf".utf8) + exif
    let chunk = bigEndian(UInt32(exif.count)) + body + bigEndian(checksum(body))
    // After the signature and IHDR.
    let png = try image.pngData()
    return png.prefix(33) + chunk + png.dropFirst(33)
  }

  private func bigEndian(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

  /// The checksum of a PNG's chunk. (W3C, PNG, Annex D.)
  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
  }
}
