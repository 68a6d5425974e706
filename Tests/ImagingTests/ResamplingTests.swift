import RelevanceImaging
import Testing

@Suite("Resizing equals Pillow's")
struct ResamplingTests {
  @Test(arguments: Resampling.allCases, [(17, 12), (61, 47), (25, 50), (40, 11), (38, 11), (3, 30)])
  func bytes(resampling: Resampling, size: (width: Int, height: Int)) throws {
    let source = try RGBImage(contentsOf: fixture("resize/source.png"))
    let image = try source.resized(width: size.width, height: size.height, by: resampling)
    let difference = Difference(image, try expectedImage("resize/\(resampling)-\(size.width)x\(size.height).npy"))
    #expect(difference.largest == 0, "\(difference)")
  }

  @Test(arguments: Resampling.allCases)
  func sameSizeChangesNothing(resampling: Resampling) throws {
    let image = try noise(width: 31, height: 17)
    #expect(try image.resized(width: 31, height: 17, by: resampling) == image)
  }

  @Test(arguments: Resampling.allCases)
  func uniformColorIsKept(resampling: Resampling) throws {
    let color = RGBColor(red: 255, green: 3, blue: 128)
    let image = RGBImage(width: 23, height: 7, filledWith: color)
    for (width, height) in [(1, 1), (5, 40), (400, 2)] {
      #expect(
        try image.resized(width: width, height: height, by: resampling)
          == RGBImage(width: width, height: height, filledWith: color))
    }
  }
}
