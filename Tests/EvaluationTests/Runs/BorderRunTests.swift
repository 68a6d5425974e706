import RelevanceKit
import Testing

/// The energy along the border beside loops over its pixels.
@Suite struct BorderRunTests {
  private let tiny: TinyRun

  init() throws { tiny = try TinyRun() }

  /// Whether a pixel is less than so many from a side.
  private static func isInFrame(_ pixel: Int, _ frame: Int) -> Bool {
    let (row, column) = (pixel / TinyRun.width, pixel % TinyRun.width)
    return row < frame || column < frame || TinyRun.height - 1 - row < frame || TinyRun.width - 1 - column < frame
  }

  /// A frame of 3 covers all columns, one of 9 is wider than the picture.
  @Test(arguments: [1, 2, 3, 9]) func shares(frame: Int) throws {
    var evaluation = BorderEnergy()
    evaluation.width = frame
    let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
    func area(_ frame: Int) -> Double {
      Double((0..<TinyRun.plane).count { Self.isInFrame($0, frame) }) / Double(TinyRun.plane)
    }
    var densities = [[0.0, 0.0], [0, 0]]
    for (picture, record) in journal.records {
      #expect(isClose(record.area, area(frame)) && isClose(record.outermostArea, area(1)))
      for (method, map) in tiny.saliency(picture, tiny.ranking(picture)[0]).enumerated() {
        func share(_ frame: Int) -> Double {
          map.indices.reduce(0) { $0 + (Self.isInFrame($1, frame) ? map[$1] : 0) } / map.reduce(0, +)
        }
        #expect(isClose(try #require(record.shares[method]), share(frame)), "picture \(picture), method \(method)")
        #expect(isClose(try #require(record.outermost[method]), share(1)), "picture \(picture), method \(method)")
        densities[method][0] += share(frame) / area(frame) / 3
        densities[method][1] += share(1) / area(1) / 3
      }
    }
    let table = BorderEnergy.results(of: journal, Bootstrap(items: 3, resamples: 50)).tables[0]
    for (method, name) in ["gradient", "lrp"].enumerated() {
      #expect(isClose(try table.value(name, "density there"), densities[method][0]))
      #expect(isClose(try table.value(name, "density of the outermost pixels"), densities[method][1]))
    }
  }
}
