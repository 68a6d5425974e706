import RelevanceKit
import Testing

/// Deletion and insertion compared with loops over pixels.
@Suite struct FlippingRunTests {
  private let tiny: TinyRun
  /// The number of pixels is not a multiple of the number of steps.
  private static let steps = 5

  init() throws { tiny = try TinyRun() }

  /// The probability of a class after each step: pixels are replaced in descending order of saliency, then by index.
  private func curve(_ image: Int, _ classIndex: Int, _ map: [Double], inserts: Bool) -> [Double] {
    let order = map.indices.sorted { map[$0] > map[$1] || map[$0] == map[$1] && $0 < $1 }
    let (x, mean) = (tiny.input(image), tiny.meanInput)
    return (0...Self.steps).map { step in
      let share = Double(step) / Double(Self.steps)
      let count = Int((share * Double(order.count)).rounded(.up))
      let replaced = Set(order.prefix(count))
      return tiny.probabilities(inserts ? tiny.mixed(mean, x, at: replaced) : tiny.mixed(x, mean, at: replaced))[
        classIndex]
    }
  }

  private func check<Direction: FlippingDirection>(_: Direction.Type, inserts: Bool, target: TargetChoice) throws {
    var evaluation = PixelFlipping<Direction>()
    (evaluation.steps, evaluation.target) = (Self.steps, target)
    let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
    // For each method, the curves of all targets.
    var curves: [[[Double]]] = [[], []]
    for (image, record) in journal.records(PixelFlipping<Direction>.Record.self) {
      let classes = target == .labeled ? TinyRun.labels[image] : [tiny.ranking(image)[0]]
      #expect(record.targets.map(\.classIndex) == classes)
      for found in record.targets {
        for (method, map) in tiny.saliency(image, found.classIndex).enumerated() {
          let expected = curve(image, found.classIndex, map, inserts: inserts)
          curves[method].append(expected)
          #expect(found.probabilities[method].count == expected.count)
          for (a, b) in zip(found.probabilities[method], expected) {
            #expect(isClose(a, b), "image \(image), class \(found.classIndex), method \(method): \(a) is not \(b)")
          }
        }
      }
    }
    // Trapezoids of equal width.
    let areas = curves.map { curves in
      curves.map { curve in
        zip(curve, curve.dropFirst()).reduce(0) { $0 + ($1.0 + $1.1) / 2 } / Double(Self.steps)
      }.reduce(0, +) / Double(curves.count)
    }
    let results = journal.results(resamples: 50)
    for (method, name) in ["gradient", "lrp"].enumerated() {
      #expect(isClose(try results.tables[0].value(name, "area"), areas[method]))
      for step in 0...Self.steps {
        let mean = curves[method].reduce(0) { $0 + $1[step] } / Double(curves[method].count)
        #expect(isClose(try results.tables[1].value("\(step * 20) %", name), mean))
      }
    }
    #expect(isClose(try results.tables[0].value("gradient", "area, less lrp"), areas[0] - areas[1]))
  }

  @Test(arguments: [TargetChoice.labeled, .predicted]) func deletion(target: TargetChoice) throws {
    try check(Deletion.self, inserts: false, target: target)
  }

  @Test(arguments: [TargetChoice.labeled, .predicted]) func insertion(target: TargetChoice) throws {
    try check(Insertion.self, inserts: true, target: target)
  }
}
