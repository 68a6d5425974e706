import RelevanceKit
import Testing

/// The energy along the border compared with loops over its pixels.
@Suite struct BorderRunTests {
  private let tiny: TinyRun

  init() throws { tiny = try TinyRun() }

  /// Whether the distance of a pixel from a side is less than `frame`.
  private static func isInFrame(_ pixel: Int, _ frame: Int) -> Bool {
    let (row, column) = (pixel / TinyRun.width, pixel % TinyRun.width)
    return row < frame || column < frame || TinyRun.height - 1 - row < frame || TinyRun.width - 1 - column < frame
  }

  /// A frame of 3 covers all columns, and one of 9 is wider than the image.
  @Test(arguments: [1, 2, 3, 9]) func shares(frame: Int) throws {
    var evaluation = BorderEnergy()
    evaluation.width = frame
    let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
    func area(_ frame: Int) -> Double {
      Double((0..<TinyRun.plane).count { Self.isInFrame($0, frame) }) / Double(TinyRun.plane)
    }
    // For each method, densities in the frame and in the outermost pixels, for all maps that are not zero.
    var densities: [[[Double]]] = [[[], []], [[], []]]
    for (image, record) in journal.records(BorderEnergy.Record.self) {
      #expect(isClose(record.area, area(frame)) && isClose(record.outermostArea, area(1)))
      for (method, map) in tiny.saliency(image, tiny.ranking(image)[0]).enumerated() {
        for (place, (found, frame)) in [(record.shares, frame), (record.outermost, 1)].enumerated() {
          let energy = map.reduce(0, +)
          guard energy > 0 else {
            #expect(found[method] == nil)
            continue
          }
          let share = map.indices.reduce(0) { $0 + (Self.isInFrame($1, frame) ? map[$1] : 0) } / energy
          #expect(isClose(try #require(found[method]), share), "image \(image), method \(method)")
          densities[method][place].append(share / area(frame))
        }
      }
    }
    #expect(densities[0][0].count == 2, "one of the images is of the class whose maps are zero")
    let table = journal.results(resamples: 50).tables[0]
    for (method, name) in ["gradient", "lrp"].enumerated() {
      for (place, column) in ["density there", "density of the outermost pixels"].enumerated() {
        let found = densities[method][place]
        #expect(isClose(try table.value(name, column), found.reduce(0, +) / Double(found.count)), "\(name), \(column)")
      }
    }
  }
}
