import RelevanceKit
import Testing

/// Changes of maps under noise compared with loops over pixels, with noise from a second implementation of SplitMix64
/// (G. Steele, D. Lea, C. Flood, 2014).
@Suite struct StabilityRunTests {
  private let tiny: TinyRun

  init() throws { tiny = try TinyRun() }

  /// Numbers in 0 ..< 1.
  private struct Draws {
    var state: UInt64

    mutating func next() -> Double {
      state = state &+ 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
      return Double((z ^ z >> 31) >> 40) / 16_777_216
    }
  }

  private static func length(_ values: [Double]) -> Double { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  @Test(arguments: [(0.0, UInt64(0)), (0.1, 3), (1, 4)]) func changes(noise: Double, seed: UInt64) throws {
    var evaluation = Stability()
    (evaluation.samples, evaluation.noise, evaluation.seed) = (3, noise, seed)
    let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
    var largest: [[Double]] = [[], []]
    for (image, record) in journal.records(Stability.Record.self) {
      let x = tiny.input(image)
      let best = tiny.ranking(image)[0]
      var draws = Draws(state: seed &+ UInt64(image) &* 0x9E37_79B9)
      let copies = (0..<3).map { _ in
        x.enumerated().map { index, value in
          let (lower, upper) = TinyRun.range(index / TinyRun.plane)
          return min(max(value + noise * (upper - lower) * (2 * draws.next() - 1), lower), upper)
        }
      }
      for (method, map) in tiny.saliency(x, best).enumerated() {
        guard map.contains(where: { $0 > 0 }) else {
          #expect(record.changes[method] == nil)
          continue
        }
        let found = try #require(record.changes[method])
        let others = copies.map { tiny.saliency($0, best)[method] }
        let distances = others.map { Self.length(zip($0, map).map { $0 - $1 }) / Self.length(map) }
        let cosines = others.map { other in
          zip(other, map).reduce(0) { $0 + $1.0 * $1.1 } / Self.length(map) / max(Self.length(other), 1e-300)
        }
        largest[method].append(distances.max()!)
        #expect(isClose(found.largest, distances.max()!), "image \(image), method \(method)")
        #expect(isClose(found.similarity.cosine, cosines.reduce(0, +) / 3), "image \(image), method \(method)")
        if noise == 0 { #expect(found.largest == 0 && isClose(found.similarity.rankCorrelation, 1)) }
      }
    }
    #expect(largest[0].count == 2, "one of the images is of the class whose maps are zero")
    let table = journal.results(resamples: 50).tables[0]
    for (method, name) in ["gradient", "lrp"].enumerated() {
      #expect(isClose(try table.value(name, "largest change"), largest[method].reduce(0, +) / 2))
    }
  }

  /// Maps that do not depend on the image have only a random similarity.
  @Test func randomMapsAreNotSimilar() throws {
    let random = Subject(tiny.subject.explainer, methods: [.random])
    for (_, record) in try tiny.journal(Stability().prepared(random, on: tiny.data)).records(Stability.Record.self) {
      #expect(abs(try #require(record.changes[0]).similarity.rankCorrelation) < 0.3)
    }
  }
}
