import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

@Suite struct DocumentedEvaluationsTests {
  /// The article's table lists the evaluations of the catalog, and no others.
  @Test func everyEvaluationIsNamed() throws {
    let names = Set(EvaluationCatalog.types.map { $0.subcommand })
    let file = "Sources/RelevanceKit/RelevanceKit.docc/Articles/Evaluate.md"
    let article = try String(contentsOf: Fixtures.root.appendingPathComponent(file), encoding: .utf8)
    let rows = article.matches(of: /(?m)^\| (`[a-z`, -]+) \|/).flatMap {
      $0.1.matches(of: /[a-z-]+/).map { String($0.output) }
    }
    #expect(Set(rows) == names && rows.count == names.count)
  }
}
