import ExplorerService
import Foundation
import RelevanceKit
import Testing

@Suite("Paint")
struct EditsTests {
  private func edits(_ fill: String, radius: Double, _ points: [Double]) throws -> Edits {
    let json: [String: Any] = ["fill": fill, "strokes": [["radius": radius, "points": points]]]
    return try JSONDecoder().decode(Edits.self, from: JSONSerialization.data(withJSONObject: json))
  }

  private static let image: RGBImage = {
    let pixels = (0..<20 * 30 * 3).map { UInt8(($0 * 37) % 251) }
    return try! RGBImage(width: 30, height: 20, pixels: pixels)
  }()

  @Test(
    "pixels are painted if their centers are near the line",
    arguments: [[15.0, 10], [2, 3, 25, 17], [5, 5, 20, 5, 20, 15], [-10, -10, 40, 30], [28, 19, 28, 19]])
  func masks(points: [Double]) throws {
    let radius = 3.2
    let mask = try edits("mean", radius: radius, points).mask(width: 30, height: 20)
    let places = stride(from: 0, to: points.count, by: 2).map { (points[$0], points[$0 + 1]) }
    let ends = places.count > 1 ? Array(zip(places, places.dropFirst())) : [(places[0], places[0])]
    for y in 0..<20 {
      for x in 0..<30 {
        // The smallest distance to many points on the lines.
        let distance = ends.flatMap { a, b in
          (0...400).map { step -> Double in
            let share = Double(step) / 400
            return hypot(
              Double(x) + 0.5 - (a.0 + share * (b.0 - a.0)), Double(y) + 0.5 - (a.1 + share * (b.1 - a.1)))
          }
        }.min()!
        guard abs(distance - radius) > 0.02 else { continue }
        #expect(mask[y * 30 + x] == (distance < radius), "at \(x), \(y)")
      }
    }
  }

  @Test("painted pixels have the fill color, and other pixels are unchanged", arguments: ["mean", "zero", "blur"])
  func fills(fill: String) throws {
    let edits = try edits(fill, radius: 4, [10, 10, 20, 12])
    let result = try edits.applied(to: Self.image, zero: RGBColor(red: 1, green: 2, blue: 3))
    let mask = try edits.mask(width: 30, height: 20)
    let means = (0..<3).map { channel in
      stride(from: channel, to: Self.image.pixels.count, by: 3).reduce(0.0) { $0 + Double(Self.image.pixels[$1]) }
        / 600
    }
    for (place, isPainted) in mask.enumerated() {
      for channel in 0..<3 {
        let (before, after) = (Self.image.pixels[3 * place + channel], result.pixels[3 * place + channel])
        guard isPainted else {
          #expect(before == after)
          continue
        }
        switch fill {
        case "mean": #expect(abs(Double(after) - means[channel]) <= 0.5)
        case "zero": #expect(Int(after) == channel + 1)
        // The pixels vary quickly, so blurred pixels are near the mean.
        default: #expect(abs(Double(after) - means[channel]) < 60)
        }
      }
    }
  }

  @Test("a blur does not change an image of one color")
  func keepsPlainImages() throws {
    let plain = try RGBImage(width: 9, height: 7, pixels: [UInt8](repeating: 200, count: 189))
    let result = try edits("blur", radius: 3, [4, 3]).applied(to: plain, zero: RGBColor(red: 0, green: 0, blue: 0))
    #expect(result == plain)
  }

  @Test(
    "invalid strokes are rejected",
    arguments: [
      #"{"strokes": [{"radius": 0, "points": [1, 1]}]}"#, #"{"strokes": [{"radius": 5, "points": [1]}]}"#,
      #"{"strokes": [{"radius": 5, "points": []}]}"#, #"{"strokes": [{"radius": 1e9, "points": [1, 1]}]}"#,
      #"{"strokes": [{"radius": 5, "points": [1e300, 1]}]}"#, #"{"fill": "pink", "strokes": []}"#, #"{"fill": "mean"}"#,
    ])
  func refuses(json: String) {
    #expect(throws: (any Error).self) { try JSONDecoder().decode(Edits.self, from: Data(json.utf8)) }
  }
}
