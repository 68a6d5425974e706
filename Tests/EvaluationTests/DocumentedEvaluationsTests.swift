import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

@Suite struct DocumentedEvaluationsTests {
  /// The article's table and the README's list name exactly the evaluations of the catalog.
  @Test func everyEvaluationIsNamed() throws {
    let names = Set(EvaluationCatalog.types.map { $0.subcommand })
    func text(_ file: String) throws -> String {
      try String(contentsOf: Fixtures.root.appendingPathComponent(file), encoding: .utf8)
    }
    let article = try text("Sources/RelevanceKit/RelevanceKit.docc/Articles/Evaluate.md")
    let rows = article.matches(of: /(?m)^\| (`[a-z`, -]+) \|/).flatMap {
      $0.1.matches(of: /[a-z-]+/).map { String($0.output) }
    }
    #expect(Set(rows) == names && rows.count == names.count)
    let list = try #require(text("README.md").firstMatch(of: /(?s)`relevance evaluate` measures.*?:\n```/)).output
    for name in names { #expect(list.contains("`\(name)`"), "\(name)") }
  }
}
