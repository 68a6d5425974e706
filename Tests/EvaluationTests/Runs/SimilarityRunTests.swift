import RelevanceKit
import Testing

/// The similarity of the maps of an image's classes compared with sums over pixels.
@Suite struct SimilarityRunTests {
  private let tiny: TinyRun

  init() throws { tiny = try TinyRun() }

  private static func cosine(_ a: [Double], _ b: [Double]) -> Double {
    func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return product(a, b) / (product(a, a) * product(b, b)).squareRoot()
  }

  /// Spearman's rank correlation: Pearson's correlation of the ranks, where equal values have the mean of their ranks.
  private static func rankCorrelation(_ a: [Double], _ b: [Double]) -> Double {
    func centered(_ values: [Double]) -> [Double] {
      let ranks = values.map { value in
        Double(values.count { $0 < value }) + Double(values.count { $0 == value } - 1) / 2
      }
      let mean = ranks.reduce(0, +) / Double(ranks.count)
      return ranks.map { $0 - mean }
    }
    return cosine(centered(a), centered(b))
  }

  /// Means over the pairs of maps that are not zero everywhere.
  private func similarity(_ image: Int, _ classes: [Int], _ method: Int) -> (cosine: Double, rank: Double)? {
    let maps = classes.map { tiny.saliency(image, $0)[method] }.filter { $0.contains { $0 > 0 } }
    let pairs = maps.indices.flatMap { i in maps.indices.filter { $0 > i }.map { (maps[i], maps[$0]) } }
    guard !pairs.isEmpty else { return nil }
    let (cosine, rank) = pairs.reduce((0.0, 0.0)) {
      ($0.0 + Self.cosine($1.0, $1.1), $0.1 + Self.rankCorrelation($1.0, $1.1))
    }
    return (cosine / Double(pairs.count), rank / Double(pairs.count))
  }

  @Test func groups() throws {
    var evaluation = Similarity()
    // All remaining classes are random ones, so that the way of drawing them does not matter.
    (evaluation.best, evaluation.random, evaluation.pool) = (2, 3, 5)
    let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
    var sums: [String: (cosine: Double, rank: Double, count: Double)] = [:]
    for (image, record) in journal.records(Similarity.Record.self) {
      let ranking = tiny.ranking(image)
      #expect(record.best.classes == Array(ranking.prefix(2)))
      #expect(record.random.classes.sorted() == ranking.dropFirst(2).sorted())
      #expect(record.labeled?.classes == (TinyRun.labels[image].count > 1 ? TinyRun.labels[image] : nil))
      let groups =
        [("best", record.best), ("random", record.random)] + (record.labeled.map { [("labeled", $0)] } ?? [])
      for (name, group) in groups {
        for (method, found) in group.similarities.enumerated() {
          let expected = similarity(image, group.classes, method)
          #expect((found == nil) == (expected == nil))
          guard let found, let expected else { continue }
          #expect(isClose(found.cosine, expected.cosine), "image \(image), \(name), method \(method)")
          #expect(isClose(found.rankCorrelation, expected.rank), "image \(image), \(name), method \(method)")
          let key = "\(["gradient", "lrp"][method]) \(name)"
          let sum = sums[key] ?? (0, 0, 0)
          sums[key] = (sum.cosine + expected.cosine, sum.rank + expected.rank, sum.count + 1)
        }
      }
    }
    #expect(sums.count == 6)
    let table = journal.results(resamples: 50).tables[0]
    for (key, sum) in sums {
      let words = key.split(separator: " ").map(String.init)
      #expect(isClose(try table.value(words[0], "\(words[1]) classes: cosine"), sum.cosine / sum.count), "\(key)")
      #expect(
        isClose(try table.value(words[0], "\(words[1]) classes: rank correlation"), sum.rank / sum.count), "\(key)")
    }
  }

  @Test func randomClassesAreInThePool() throws {
    var evaluation = Similarity()
    (evaluation.best, evaluation.random, evaluation.pool) = (2, 1, 4)
    var drawn: Set<Int> = []
    for seed in 0..<12 {
      evaluation.seed = UInt64(seed)
      let journal = try tiny.journal(evaluation.prepared(tiny.subject, on: tiny.data))
      for (image, record) in journal.records(Similarity.Record.self) {
        let place = try #require(tiny.ranking(image).firstIndex(of: record.random.classes[0]))
        drawn.insert(place)
      }
    }
    #expect(drawn == [2, 3])
  }
}
