import RelevanceFigures
import Foundation
import RelevanceImaging
import Testing

@Suite("Text in images")
struct TextTests {
  @Test func widthsAddUp() {
    let parts = ["zebra", " ", "0.873", "×10⁻⁵ — α…"]
    let sum = parts.reduce(0) { $0 + TextLabel($1).width }
    #expect(abs(TextLabel(parts.joined()).width - sum) < 1e-9)
    #expect(TextLabel("").width == 0)
    #expect(abs(TextLabel("zebra", size: 26).width - 2 * TextLabel("zebra", size: 13).width) < 1e-9)
  }

  @Test func everyPrintableCharacterHasItsOwnShape() {
    var shapes: [RGBImage: Unicode.Scalar] = [:]
    for scalar in (0x21...0x7E).compactMap(Unicode.Scalar.init) + Array("−×°…–±≤≥éäöüßαβγε⁻²").flatMap(\.unicodeScalars)
    {
      let shape = rendering(of: String(Character(scalar)), size: 40)
      #expect(!ink(shape).isEmpty, "\(scalar) leaves no ink")
      #expect(shapes.updateValue(scalar, forKey: shape) == nil, "\(scalar) looks like another character")
    }
    #expect(ink(rendering(of: " \t\n\u{a0}")).isEmpty)
  }

  @Test func lettersWithoutGlyphAreFolded() {
    #expect(rendering(of: "naïve Škoda Łódź") == rendering(of: "naive Skoda Łódź"))
    #expect(rendering(of: "Škoda") == rendering(of: "Skoda"))
    #expect(rendering(of: "e\u{301}") == rendering(of: "é"))
    #expect(rendering(of: "é") != rendering(of: "e"))
    #expect(rendering(of: "Ｚebra") == rendering(of: "Zebra"))
    // Characters without a Latin equivalent are drawn as a box.
    #expect(rendering(of: "✓") == rendering(of: "☃"))
    #expect(!ink(rendering(of: "✓")).isEmpty)
  }

  @Test func textIsShortenedToItsLimit() {
    let label = TextLabel("African elephant, Loxodonta africana")
    #expect(label.shortened(to: label.width) == label)
    for limit in stride(from: 0, to: label.width, by: 7.3) {
      let short = label.shortened(to: limit)
      #expect(short.width <= limit)
      #expect(short.text.isEmpty || short.text.hasSuffix("…"))
      #expect(label.text.hasPrefix(short.text.replacingOccurrences(of: "…", with: "")))
    }
    #expect(label.shortened(to: 3).text.isEmpty)
  }

  @Test func textIsBrokenIntoLines() {
    let label = TextLabel("African elephant, Loxodonta africana\n0.061")
    let lines = label.lines(fitting: 150)
    #expect(lines.count == 2 && lines[1].text == "0.061" && lines[0].text.hasSuffix("…"))
    #expect(label.lines(fitting: 150, atMost: 3).map(\.text) == ["African elephant,", "Loxodonta africana", "0.061"])
    #expect(label.lines(fitting: 1000, atMost: 1).map(\.text) == ["African elephant, Loxodonta africana 0.061"])
    #expect(TextLabel("\n  \n").lines(fitting: 100).isEmpty)
    #expect(TextLabel("").lines(fitting: 100).isEmpty)
    for width in stride(from: 0.0, to: 300, by: 11) {
      #expect(label.lines(fitting: width).allSatisfy { $0.width <= width })
    }
  }

  @Test(arguments: [9.0, 13, 14.5, 39]) func inkStaysInTheLabelsBox(size: Double) {
    let label = TextLabel("Éj(Agy|ÄQ,pß⁻²", size: size)
    for anchor in [TextAnchor.start, .middle, .end] {
      var image = RGBImage(width: Int(label.width) + 60, height: Int(label.height) + 40, filledWith: .white)
      let x = anchor == .start ? 30 : anchor == .middle ? image.width / 2 : image.width - 30
      image.draw(label, x: x, y: 20, anchor: anchor)
      let pixels = ink(image)
      #expect(pixels.allSatisfy { $0.y >= 20 && $0.y < 20 + Int(label.height) })
      #expect(pixels.allSatisfy { $0.x >= 27 && $0.x <= image.width - 27 })
    }
  }

  @Test func textIsClippedAtTheImagesEdge() {
    var large = RGBImage(width: 200, height: 80, filledWith: .white)
    large.draw(TextLabel("Labrador retriever", size: 20), x: 60, y: 30)
    for (left, top) in [(70, 32), (100, 36), (30, 38)] {
      var small = RGBImage(width: 40, height: 12, filledWith: .white)
      small.draw(TextLabel("Labrador retriever", size: 20), x: 60 - left, y: 30 - top)
      for y in 0..<12 { for x in 0..<40 { #expect(small[x, y] == large[left + x, top + y]) } }
    }
    var far = RGBImage(width: 4, height: 4, filledWith: .white)
    far.draw(TextLabel("far away"), x: 1_000_000, y: -1_000_000)
    #expect(far == RGBImage(width: 4, height: 4, filledWith: .white))
  }

  @Test func textHasItsColor() {
    var image = RGBImage(width: 60, height: 60, filledWith: .white)
    image.draw(TextLabel("■M", size: 40, color: RGBColor(red: 200, green: 0, blue: 0)), x: 4, y: 4)
    #expect(image.pixels.indices.contains { $0 % 3 == 0 && image.pixels[$0...($0 + 2)] == [200, 0, 0] })
    #expect(ink(image).allSatisfy { image[$0.x, $0.y].green == image[$0.x, $0.y].blue })
  }

  private func rendering(of text: String, size: Double = 13) -> RGBImage {
    var image = RGBImage(width: 160, height: 60, filledWith: .white)
    image.draw(TextLabel(text, size: size), x: 8, y: 4)
    return image
  }
}

/// The pixels that are not white.
func ink(_ image: RGBImage) -> [(x: Int, y: Int)] {
  (0..<image.height).flatMap { y in
    (0..<image.width).compactMap { x in image[x, y] == .white ? nil : (x, y) }
  }
}
