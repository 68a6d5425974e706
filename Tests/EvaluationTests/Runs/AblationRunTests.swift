import RelevanceKit
import RelevanceTestSupport
import Testing

/// Ablation compared with loops over patches.
@Suite struct AblationRunTests {
  private let tiny: TinyRun

  init() throws { tiny = try TinyRun() }

  /// The pixels that are covered after each patch: those around the largest pixel that no patch covers yet, clipped to
  /// the image.
  private func covered(_ map: [Double], side: Int, patches: Int) -> [Set<Int>] {
    var covered: Set<Int> = []
    return (0..<patches).map { _ in
      var best: Int?
      for pixel in map.indices where !covered.contains(pixel) && map[pixel] > (best.map { map[$0] } ?? 0) {
        best = pixel
      }
      if let best {
        for pixel in map.indices {
          let rows = abs(pixel / TinyRun.width - best / TinyRun.width)
          let columns = abs(pixel % TinyRun.width - best % TinyRun.width)
          if max(rows, columns) <= (side - 1) / 2 { covered.insert(pixel) }
        }
      }
      return covered
    }
  }

  /// With a side of 5, little or nothing remains for the fourth patch.
  @Test(arguments: [1, 3, 5], [TargetChoice.labeled, .predicted]) func drops(side: Int, target: TargetChoice) throws {
    let patches = 4
    // The replacement differs from the mean.
    let other = Seeded.tensor([1, 3, TinyRun.height, TinyRun.width], seed: 33)
    var evaluation = Ablation()
    (evaluation.patchSide, evaluation.patches, evaluation.target) = (side, patches, target)
    if side > 1 { evaluation.replacement = .image(other) }
    let replacement = side > 1 ? other.elements.map(Double.init) : tiny.meanInput
    let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
    var sums = [[Double]](repeating: [0, 0], count: 2)
    var (last, before, targets) = (sums, [0.0, 0.0], 0.0)
    for (image, record) in journal.records(Ablation.Record.self) {
      #expect(
        record.targets.map(\.classIndex)
          == (target == .labeled ? TinyRun.labels[image] : [tiny.ranking(image)[0]]))
      let x = tiny.input(image)
      for found in record.targets {
        let c = found.classIndex
        let whole = (tiny.logits(x)[c], tiny.probabilities(x)[c])
        #expect(isClose(Double(found.logit), whole.0) && isClose(found.probability, whole.1))
        targets += 1
        before = [before[0] + whole.0, before[1] + whole.1]
        for (method, map) in tiny.saliency(image, c).enumerated() {
          for (step, pixels) in covered(map, side: side, patches: patches).enumerated() {
            let ablated = tiny.mixed(x, replacement, at: pixels)
            let drop = (whole.0 - tiny.logits(ablated)[c], whole.1 - tiny.probabilities(ablated)[c])
            #expect(isClose(Double(found.drops[method].logit[step]), drop.0), "image \(image), class \(c), \(step)")
            #expect(isClose(found.drops[method].probability[step], drop.1), "image \(image), class \(c), \(step)")
            if step == 0 { sums[method] = [sums[method][0] + drop.0, sums[method][1] + drop.1] }
            if step == patches - 1 { last[method] = [last[method][0] + drop.0, last[method][1] + drop.1] }
          }
        }
      }
    }
    let results = journal.results(resamples: 50)
    for (method, name) in ["gradient", "lrp"].enumerated() {
      for (kind, column) in ["logit", "probability"].enumerated() {
        #expect(isClose(try results.tables[0].value(name, column), sums[method][kind] / targets))
        #expect(isClose(try results.tables[patches - 1].value(name, column), last[method][kind] / targets))
      }
    }
    let less = try results.tables[0].value("gradient", "logit, less lrp")
    #expect(isClose(less, (sums[0][0] - sums[1][0]) / targets))
    let note = try #require(
      try /their mean logit is (-?\d+\.\d+) and their mean probability (\d+\.\d+)/.firstMatch(in: results.notes[0]))
    #expect(isClose(try #require(Double(note.1)), before[0] / targets, within: 1e-4))
    #expect(isClose(try #require(Double(note.2)), before[1] / targets, within: 1e-4))
  }
}
