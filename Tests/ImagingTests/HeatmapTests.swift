import Foundation
import RelevanceImaging
import RelevanceTensors
import Testing

@Suite("Heatmaps")
struct HeatmapTests {
  private static let values: [Float] = (-50...50).map { Float($0) / 50 }
  private let ramp: RGBImage

  init() throws { ramp = try Heatmap(Tensor(shape: [1, 101], elements: Self.values), scale: .maximum).image() }

  @Test func zeroIsWhite() throws {
    #expect(ramp[50, 0] == .white)
    #expect(try Heatmap(Tensor(shape: [3, 4, 5])).image() == RGBImage(width: 5, height: 4, filledWith: .white))
    #expect(try Heatmap(Tensor(shape: [3, 4, 5])).limit == 0)
  }

  @Test func positionsCanBeSquares() throws {
    let heatmap = try Heatmap(Tensor(shape: [2, 3], elements: [1, -2, 3, 0, 5, -6]))
    let (small, large) = try (heatmap.image(), heatmap.image(pixelsPerPosition: 4))
    #expect(large.width == 12 && large.height == 8)
    for y in 0..<8 { for x in 0..<12 { #expect(large[x, y] == small[x / 4, y / 4]) } }
  }

  @Test func positiveIsRedAndNegativeIsBlue() throws {
    for i in 1...50 {
      #expect(ramp[50 + i, 0].red > ramp[50 + i, 0].blue)
      #expect(ramp[50 - i, 0].blue > ramp[50 - i, 0].red)
    }
  }

  @Test func lightnessIsSymmetricAndDecreases() throws {
    var last = 101.0
    for i in 0...50 {
      let (positive, negative) = (lightness(ramp[50 + i, 0]), lightness(ramp[50 - i, 0]))
      // CIE L* and the ramp's Oklab lightness differ slightly between hues; 100 is white.
      #expect(abs(positive - negative) < 4)
      #expect(max(positive, negative) < last)
      last = min(positive, negative) + 4
    }
    for side in [1, -1] {
      for i in 1...50 { #expect(lightness(ramp[50 + side * i, 0]) < lightness(ramp[50 + side * (i - 1), 0])) }
    }
  }

  /// Lightness decreases in perceptually equal steps, starting at white.
  @Test(arguments: [(HeatmapColors.diverging, Float(1)), (.diverging, -1), (.sequential, 1)])
  func lightnessDecreasesSteadily(colors: HeatmapColors, sign: Float) throws {
    let values = (0...255).map { sign * Float($0) / 255 }
    let ramp = try Heatmap(Tensor(shape: [1, 256], elements: values), scale: .maximum, colors: colors).image()
    let lightnesses = (0...255).map { lightness(ramp[$0, 0]) }
    let steps = zip(lightnesses, lightnesses.dropFirst()).map { $0 - $1 }
    // Rounding to bytes can give two adjacent steps the same color.
    #expect(ramp[0, 0] == .white && steps.allSatisfy { $0 >= 0 })
    #expect(zip(lightnesses, lightnesses.dropFirst(2)).allSatisfy { $0 > $1 })
    #expect(steps.max()! < 3 * (lightnesses[0] - lightnesses[255]) / 255, "no step is an edge")
    #expect(lightnesses[255] < (colors == .sequential ? 15 : 45))
  }

  /// Diverging colors if both signs are visible, otherwise sequential colors.
  @Test(
    arguments: [
      ([[0, 1, 2]], .sequential), ([[0, 1, -0.1]], .diverging), ([[1, 2], [1, -1]], .diverging),
      ([[1, -0.001]], .sequential),
      ([], .sequential), ([[.nan, 1]], .sequential),
    ] as [([[Float]], HeatmapColors)]) func colorsSuitTheMaps(maps: [[Float]], expected: HeatmapColors)
  {
    let tensors = maps.map { Tensor(shape: [1, $0.count], elements: $0) }
    #expect(HeatmapColors(for: tensors, limit: 2) == expected)
  }

  @Test func sequentialShowsNegativeValuesInGray() throws {
    let map = Tensor(shape: [1, 3], elements: [-1, 0, 1])
    let heatmap = try Heatmap(map, scale: .maximum, colors: .sequential)
    let image = heatmap.image()
    #expect(image[0, 0] == RGBColor(red: 128, green: 128, blue: 128) && image[1, 0] == .white && image[2, 0] != .white)
    #expect(
      try Heatmap(Tensor(shape: [1, 2], elements: [-1e-3, 1]), scale: .maximum, colors: .sequential).image()[0, 0]
        == .white
    )
    let overlay = heatmap.overlay(on: RGBImage(width: 3, height: 1, filledWith: .white))
    #expect(overlay[1, 0] == .white && overlay[0, 0].red == overlay[0, 0].blue && overlay[2, 0] != overlay[0, 0])
  }

  @Test func signFlipsTheColors() throws {
    let map = Tensor(shape: [7, 9], elements: (0..<63).map { Float($0 * 37 % 63 - 31) })
    let heatmap = try Heatmap(map)
    let opposite = try Heatmap(map.map { -$0 })
    #expect(heatmap.limit == opposite.limit)
    for (a, b) in zip(heatmap.values.elements, opposite.values.elements) { #expect(a == -b) }
  }

  @Test func channelsAreSummed() throws {
    let map = Tensor(shape: [2, 1, 3], elements: [1, 2, 3, -1, 2, -7])
    #expect(try Heatmap.channelSum(map) == Tensor(shape: [1, 3], elements: [0, 4, -4]))
    #expect(try Heatmap.channelSum(map.reshaped(to: [1, 2, 1, 3])) == Heatmap.channelSum(map))
    #expect(try Heatmap(map, scale: .maximum).limit == 4)
  }

  @Test func scales() throws {
    let map = Tensor(shape: [10, 100], elements: (1...1000).map { Float($0 % 2 == 0 ? $0 : -$0) })
    #expect(try Heatmap(map, scale: .maximum).limit == 1000)
    #expect(try Heatmap(map, scale: .percentile(99)).limit == 990)
    #expect(try Heatmap(map, scale: .percentile(99)).clippedShare == 0.01)
    #expect(try Heatmap(map, scale: .percentile(100)).limit == 1000)
    #expect(try Heatmap(map, scale: .percentile(0)).limit == 1)
    #expect(try Heatmap(map, scale: .fixed(5)).limit == 5)
    #expect(try Heatmap(map, scale: .maximum).clippedShare == 0)
    // Almost all values are zero: the percentile would be 0 and clip everything.
    var sparse = Tensor(shape: [100, 100])
    sparse[3, 3] = 2
    #expect(try Heatmap(sparse).limit == 2)
    #expect(try HeatmapScale.common([sparse, map], .maximum) == .fixed(1000))
    #expect("\(HeatmapScale.standard)" == "percentile 99.9 of |r|")
  }

  @Test func nonFiniteValuesAreGray() throws {
    let heatmap = try Heatmap(Tensor(shape: [1, 3], elements: [.nan, 1, .infinity]), scale: .maximum)
    #expect(heatmap.limit == 1)
    #expect(heatmap.image()[0, 0] == RGBColor(red: 128, green: 128, blue: 128))
    #expect(heatmap.image()[2, 0] == heatmap.image()[0, 0])
  }

  @Test func overlayShowsTheImageWhereRelevanceIsZero() throws {
    var map = Tensor(shape: [2, 2])
    map[0, 1] = 3
    map[1, 0] = -3
    let overlay = try Heatmap(map).overlay(on: RGBImage(width: 4, height: 4, filledWith: .black))
    #expect(overlay[0, 0] == overlay[3, 3])
    #expect(overlay[0, 0].red == overlay[0, 0].green && overlay[0, 0].green == overlay[0, 0].blue)
    #expect(overlay[2, 0] == overlay[3, 1] && overlay[3, 1].red > overlay[3, 1].blue)
    #expect(overlay[0, 3].blue > overlay[0, 3].red)
    let white = try Heatmap(Tensor(shape: [3, 4, 4])).overlay(on: RGBImage(width: 4, height: 4, filledWith: .white))
    #expect(white == RGBImage(width: 4, height: 4, filledWith: .white))
  }

  @Test func colorBarIsTheRamp() throws {
    let bar = Heatmap.colorBar(width: 101, height: 2)
    for x in 0..<101 { #expect(bar[x, 1] == ramp[x, 0]) }
    let sequence = Heatmap.colorBar(width: 101, height: 2, colors: .sequential)
    let values = Tensor(shape: [1, 101], elements: (0...100).map { Float($0) / 100 })
    let image = try Heatmap(values, scale: .maximum, colors: .sequential).image()
    for x in 0..<101 { #expect(sequence[x, 1] == image[x, 0]) }
  }

  /// CIE L* of an sRGB color.
  private func lightness(_ color: RGBColor) -> Double {
    func linear(_ byte: UInt8) -> Double {
      let v = Double(byte) / 255
      return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4)
    }
    let y = 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
    return y > 0.008856 ? 116 * pow(y, 1 / 3.0) - 16 : 903.3 * y
  }
}
