import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Confidence intervals have the stated coverage.
@Suite struct BootstrapTests {
  /// For many samples of numbers with mean 0.3, about 95 % of the intervals contain the mean.
  @Test func intervalsCoverTheTruth() throws {
    var (covered, widths) = (0, 0.0)
    let (samples, size) = (300, 60)
    for sample in 0..<samples {
      let values = (0..<size).map { Seeded.uniform(UInt64(sample + 1), $0) < 0.3 ? 1.0 : 0 }
      let measured = Measurements(
        items: Array(0..<size), classes: [Int](repeating: 0, count: size), values: values)
      let estimate = try #require(
        Bootstrap(items: size, resamples: 400, seed: UInt64(sample)).estimate(.mean(measured)))
      #expect(estimate.low <= estimate.value && estimate.value <= estimate.high)
      covered += estimate.low <= 0.3 && 0.3 <= estimate.high ? 1 : 0
      widths += estimate.high - estimate.low
    }
    #expect((0.90...0.98).contains(Double(covered) / Double(samples)))
    // By normal theory: 2 · 1.96 · √(0.3 · 0.7 / 60).
    #expect(abs(widths / Double(samples) - 0.232) < 0.015)
  }

  @Test func differencesOfPairsAreNarrow() throws {
    let size = 50
    let base = (0..<size).map { Seeded.uniform(7, $0) }
    func measured(_ values: [Double]) -> Bootstrap.Statistic {
      .mean(Measurements(items: Array(0..<size), classes: [Int](repeating: 0, count: size), values: values))
    }
    let bootstrap = Bootstrap(items: size)
    let difference = try #require(bootstrap.estimate(.difference(measured(base.map { $0 + 0.125 }), measured(base))))
    #expect(abs(difference.value - 0.125) < 1e-12 && difference.high - difference.low < 1e-12)
    let alone = try #require(bootstrap.estimate(measured(base)))
    #expect(alone.high - alone.low > 0.1)
  }

  @Test func classesHaveEqualWeight() throws {
    var measured = Measurements()
    for item in 0..<90 { measured.append(1, item: item, classIndex: 0) }
    for item in 90..<100 { measured.append(0, item: item, classIndex: 7) }
    let bootstrap = Bootstrap(items: 100)
    #expect(bootstrap.estimate(.mean(measured))?.value == 0.9)
    #expect(bootstrap.estimate(.classMean(measured))?.value == 0.5)
    #expect(bootstrap.estimate(.mean(Measurements())) == nil)
    #expect(bootstrap.estimate(.classMean(Measurements())) == nil)
  }

  @Test func intervalsDependOnTheSeed() throws {
    let measured = Measurements(
      items: Array(0..<20), classes: [Int](repeating: 0, count: 20), values: (0..<20).map { Double($0 * $0) })
    func interval(_ seed: UInt64) -> Estimate? { Bootstrap(items: 20, seed: seed).estimate(.mean(measured)) }
    #expect(interval(1) == interval(1))
    #expect(interval(1) != interval(2))
  }

  @Test func tablesAsMarkdownAndCSV() throws {
    let table = ResultTable(
      title: "Some", columns: ["method", "a|b", "n", "x"],
      rows: [
        [.text("lrp, \"it\""), .estimate(Estimate(value: 0.12345, low: 0.1, high: 1 / 3)), .count(3), .number(2)],
        [.text("none"), .absent, .absent, .absent],
      ])
    #expect(
      table.markdown == """
        ### Some

        | method | a\\|b | n | x |
        | --- | --- | --- | --- |
        | lrp, "it" | 0.1235 [0.1000, 0.3333] | 3 | 2.0000 |
        | none | – | – | – |

        """)
    #expect(
      table.csv
        == "method,a|b,a|b low,a|b high,n,x\r\n\"lrp, \"\"it\"\"\",0.12345,0.1,0.3333333333333333,3,2.0\r\nnone,,,,,\r\n"
    )
  }
}
