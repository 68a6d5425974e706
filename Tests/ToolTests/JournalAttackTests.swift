import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Journals are untrusted files: no number in them can create tables, charts or resamples of arbitrary size.
@Suite struct JournalAttackTests {
  static let evaluations: [(name: String, options: [String])] = [
    ("pointing", []), ("ablation", ["--patches", "2"]), ("grid", ["--grids", "2", "--confidence", "0"]),
    ("similarity", []), ("units", ["--layer", "fc1"]), ("deletion", ["--steps", "3"]), ("insertion", ["--steps", "3"]),
    ("border", []), ("stability", ["--samples", "1"]),
    ("concepts", ["--layer", "fc1", "--random-orders", "1"]),
  ]

  private let bench: Workbench

  init() throws { bench = try Workbench() }

  private func journal(_ name: String, _ options: [String]) throws -> [String] {
    let methods = ["units", "concepts"].contains(name) ? [] : ["--method", "random", "--method", "lrp"]
    let outcome = try bench.run(
      [
        "evaluate", name, Fixtures.path("digits/vgg"), Fixtures.path("digits/scenes/instances.json"), "--output", "out",
        "--limit", name == "grid" ? "12" : "2", "--resamples", "20", "-q",
      ] + methods + options)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return try String(contentsOfFile: bench.path("out/journal.jsonl"), encoding: .utf8).split(separator: "\n").map(
      String.init)
  }

  /// The error for a journal; nil if it can be read.
  private func objection(_ lines: [String]) throws -> String? {
    try bench.write(lines.joined(separator: "\n") + "\n", to: "changed.jsonl")
    do {
      _ = try Journal(contentsOf: bench.path("changed.jsonl"))
      return nil
    } catch let error as any RelevanceKitError { return error.description }
  }

  @Test(arguments: evaluations.map(\.name)) func everyNumberHasItsRange(name: String) throws {
    let lines = try journal(name, #require(Self.evaluations.first { $0.name == name }).options)
    #expect(try objection(lines) == nil)
    let record = try #require(lines[1].firstRange(of: "\"record\":"))
    let numbers = lines[1].matches(of: /-?\d+(\.\d+)?([eE][-+]?\d+)?/).map(\.range).filter {
      $0.lowerBound > record.lowerBound
    }
    #expect(numbers.count > 5)
    for range in numbers.prefix(100) {
      for value in ["1e200", "-1e200"] {
        var changed = lines
        changed[1].replaceSubrange(range, with: value)
        let said = try objection(changed)
        #expect(said?.contains("line 2 is damaged: ") == true, "\(changed[1]): \(said ?? "nothing")")
      }
    }
  }

  @Test func headsHaveRanges() throws {
    let lines = try journal("deletion", ["--steps", "3"])
    for (from, to, message) in [
      (#""steps":["3"]"#, #""steps":["10001"]"#, "expected steps in 1…10000, found 10001"),
      (#""steps":["3"]"#, #""steps":["9e99"]"#, "expected steps in 1…10000, found 9e99"),
      // The direction becomes part of a file name.
      (
        #""direction":["deletion"]"#, #""direction":["../../x"]"#,
        "expected direction deletion or insertion, found ../../x"
      ),
      (#""methods":["#, #""methods":["# + String(repeating: "\"a\",", count: 1000), "expected at most 1000 methods"),
    ] {
      var changed = lines
      changed[0] = lines[0].replacing(from, with: to)
      #expect(changed[0] != lines[0])
      let said = try objection(changed)
      #expect(said?.contains("line 1 is damaged: \(message)") == true, "\(said ?? "nothing")")
    }
  }

  /// Two numbers determine the steps, each with a valid range, and records have one number for each step.
  @Test func channelsHaveRanges() throws {
    let lines = try journal("concepts", ["--layer", "fc1", "--random-orders", "1"])
    for (from, to, message) in [
      (#""channels":["96"]"#, #""channels":["0"]"#, "line 1 is damaged: expected channels in 1…1000000, found 0"),
      (#""channels":["96"]"#, #""channels":["9e99"]"#, "line 1 is damaged: expected channels in 1…1000000, found 9e99"),
      (#""channels":["96"]"#, #""channels":["200"]"#, "line 2 is damaged: the record does not fit the first line"),
      (#""steps":["1"]"#, #""steps":["101"]"#, "line 1 is damaged: expected steps in 1…100, found 101"),
      (#""steps":["1"]"#, #""steps":["2"]"#, "line 2 is damaged: the record does not fit the first line"),
      (
        #""methods":["lrp"]"#, #""methods":["lrp","clrp1"]"#,
        "line 2 is damaged: the record does not fit the first line"
      ),
    ] {
      var changed = lines
      changed[0] = lines[0].replacing(from, with: to)
      #expect(changed[0] != lines[0])
      let said = try objection(changed)
      #expect(said?.contains(message) == true, "\(said ?? "nothing")")
    }
  }

  /// A case that was found: it took 5.7 GB and ended in an abort.
  @Test func aCurveFarOutsideIsRefused() throws {
    var lines = try journal("deletion", ["--steps", "3"])
    let start = try #require(lines[1].firstRange(of: "\"probabilities\":[["))
    let end = try #require(lines[1][start.upperBound...].firstIndex(of: ","))
    lines[1].replaceSubrange(start.upperBound..<end, with: "4.65e12")
    try bench.write(lines.joined(separator: "\n") + "\n", to: "journal.jsonl")
    let outcome = try bench.run("evaluate", "merge", "journal.jsonl", "--output", "merged")
    #expect(outcome.status == 65)
    #expect(
      outcome.errors
        == "relevance: journal.jsonl: line 2 is damaged: expected a probability in 0…1, found 4650000000000.0\n")
  }

  /// Names of items and errors in a journal are plain text in the report, regardless of their characters.
  @Test func textsOfJournalsAreText() throws {
    var lines = try journal("border", [])
    lines[1] = #"{"error":"<img src=x> | [a](javascript:b)\n\u001B[2J","index":0,"name":"=1+1\n| forged |"}"#
    try bench.write(lines.joined(separator: "\n") + "\n", to: "journal.jsonl")
    let outcome = try bench.run("evaluate", "merge", "journal.jsonl", "--output", "merged", "--resamples", "20")
    #expect(outcome.status == 0)
    let report = try String(contentsOfFile: bench.path("merged/report.md"), encoding: .utf8)
    for text in [report, outcome.output] {
      #expect(
        text.contains(
          #"  - =1+1\\n\| forged \|: &lt;img src=x&gt; \| \[a\](javascript:b)\\n\\u{1B}\[2J"# + "\n"))
    }
  }
}
