import Foundation
import RelevanceImaging
import RelevanceSupport
import RelevanceTensors
import Testing

@Suite("Decoding equals Pillow's")
struct DecodingTests {
  /// JPEG decoders agree to the bit if they use the same transform; Pillow's copy of the library may be newer.
  @Test(
    arguments: [
      "color-444", "color-422", "color-420", "progressive", "restarts", "rgb", "gray", "cmyk", "ycck",
    ] + (1...8).map { "orientation-\($0)" })
  func jpeg(name: String) throws {
    let image = try RGBImage(contentsOf: fixture("jpeg/\(name).jpg"))
    let difference = Difference(image, try expectedImage("jpeg/\(name).npy"))
    #expect(difference.largest == 0, "\(difference)")
  }

  @Test(arguments: [
    "rgb", "rgb-interlaced", "rgb-16", "rgb-transparent-color", "rgba", "rgba-16-interlaced", "gray", "gray-1",
    "gray-2", "gray-4", "gray-16", "gray-alpha", "palette-4", "palette-8-transparent", "orientation-6",
    "orientation-profile", "orientation-profile-compressed", "orientation-xmp", "orientation-xmp-element",
    "orientation-exif-and-xmp", "rgb-12",
  ])
  func png(name: String) throws {
    let image = try RGBImage(contentsOf: fixture("png/\(name).png"))
    let difference = Difference(image, try expectedImage("png/\(name).npy"))
    #expect(difference.largest == 0, "\(difference)")
  }

  @Test func twelveBitsOfSixteenAreDoubtful() throws {
    let doubt = try RGBImage.read(fixture("png/rgb-12.png")).doubt
    #expect(doubt?.contains("the largest of its 16-bit samples is 4080, so they may have 12 bits") == true)
    for name in ["rgb-16", "rgb", "gray-16"] { #expect(try RGBImage.read(fixture("png/\(name).png")).doubt == nil) }
  }

  @Test func formatIsDetectedFromContent() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/image.jpg"
      try FileManager.default.copyItem(atPath: fixture("png/rgb.png"), toPath: path)
      #expect(try RGBImage(contentsOf: path) == RGBImage(contentsOf: fixture("png/rgb.png")))
    }
  }
}

@Suite("PNG encoding")
struct EncodingTests {
  @Test(arguments: [(1, 1), (1, 300), (300, 1), (65, 33)])
  func roundTrip(width: Int, height: Int) throws {
    let image = try noise(width: width, height: height)
    try withTemporaryFolder { folder in
      try image.writePNG(to: folder + "/a.png")
      #expect(try RGBImage(contentsOf: folder + "/a.png") == image)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])
    }
  }

  @Test func replacesExistingFiles() throws {
    try withTemporaryFolder { folder in
      for seed in 1...2 { try noise(width: 9, height: 9, seed: UInt64(seed)).writePNG(to: folder + "/a.png") }
      #expect(try RGBImage(contentsOf: folder + "/a.png") == noise(width: 9, height: 9, seed: 2))
    }
  }

  @Test func failureLeavesNoFile() throws {
    try withTemporaryFolder { folder in
      let image = try noise(width: 4, height: 4)
      #expect(
        sentence(without: folder) { try image.writePNG(to: folder + "/none/a.png") }
          == "none/a.png: cannot be written: No such file or directory")
      // A folder with this name makes the last step, the rename, fail.
      try FileManager.default.createDirectory(atPath: folder + "/a.png/b", withIntermediateDirectories: true)
      #expect(
        sentence(without: folder) { try image.writePNG(to: folder + "/a.png") }
          == "a.png: cannot be written: it is a folder")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["a.png"])
      let error = #expect(throws: SimpleError.self) { try image.writePNG(to: folder + "/a.png") }
      #expect(error?.category == .cannotWrite)
    }
  }
}
