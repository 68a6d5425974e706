import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Interrupted, divided and merged runs have the same result as a single run.
@Suite struct JournalTests {
  /// A square root per item, with one item that has none.
  struct Roots: ItemwiseEvaluation {
    struct Record: Codable {
      let root: Double
    }

    static let name = "roots"
    static func fits(_ record: Record, _ header: JournalHeader) -> Bool { record.root >= 0 }
    static var bounds: JournalBounds<Record> { JournalBounds().number("a root", in: -1e3...1e3) { [$0.root] } }
    static func results(of journal: Journal, _ bootstrap: Bootstrap) -> EvaluationResults {
      EvaluationResults(tables: [])
    }

    var count = 11
    var configuration = ["methods": ["square root"], "data": ["numbers", "1f"]]

    func run(
      journal path: String, shard: Shard = .whole, resumes: Bool = false,
      progress: (EvaluationProgress) -> Void = { _ in }
    ) throws -> Journal {
      let prepared = PreparedEvaluation(
        Self.self, configuration: configuration, items: (0..<count).map { "number \($0)" }
      ) { item in
        guard item != 4 else { throw EvaluationError("number 4: “is” not\nliked") }
        return Record(root: Double(item).squareRoot())
      }
      return try prepared.run(journal: path, shard: shard, resumes: resumes, progress: progress)
    }
  }

  private let scratch: Fixtures.Scratch
  private let whole: Data

  init() throws {
    scratch = try Fixtures.Scratch()
    _ = try Roots().run(journal: scratch.path("whole.jsonl"))
    whole = try Data(contentsOf: scratch.url.appendingPathComponent("whole.jsonl"))
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: scratch.url.appendingPathComponent(name)) }

  @Test func journalsHaveOneLinePerItem() throws {
    let lines = String(decoding: whole, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 12)
    #expect(lines[0].contains(#""evaluation":"roots""#) && lines[0].contains(#""shard":"1/1""#))
    #expect(lines[3] == #"{"index":2,"name":"number 2","record":{"root":1.4142135623730951}}"#)
    #expect(lines[5].contains(#""error":"number 4: “is” not\nliked""#))
    let journal = try Journal.read(scratch.path("whole.jsonl"), of: Roots.self).journal
    #expect(journal.isComplete)
    #expect(journal.records(Roots.Record.self).map(\.item) == [0, 1, 2, 3, 5, 6, 7, 8, 9, 10])
    #expect(journal.failures.map(\.name) == ["number 4"])
    #expect(try journal.data() == whole)
  }

  /// A run that ended at any byte continues to the same journal.
  @Test func runsContinueFromEveryByte() throws {
    for length in 0...whole.count {
      try whole.prefix(length).write(to: scratch.url.appendingPathComponent("part.jsonl"))
      let journal = try Roots().run(journal: scratch.path("part.jsonl"), resumes: true)
      #expect(try bytes("part.jsonl") == whole, "from byte \(length)")
      #expect(journal.entries.count == 11)
    }
  }

  @Test(arguments: [1, 2, 3, 4, 11, 20]) func mergedShardsMatchTheWhole(count: Int) throws {
    let paths = try (1...count).map { index in
      let path = scratch.path("journal-\(index)-of-\(count).jsonl")
      _ = try Roots().run(journal: path, shard: #require(Shard(rawValue: "\(index)/\(count)")))
      return path
    }
    #expect(try Journal.merging(paths.reversed(), of: Roots.self).data() == whole)
  }

  @Test func progressCounts() throws {
    var seen: [(done: Int, total: Int, now: Int, failure: String?)] = []
    try whole.prefix(whole.count / 2).write(to: scratch.url.appendingPathComponent("part.jsonl"))
    _ = try Roots().run(journal: scratch.path("part.jsonl"), resumes: true) {
      seen.append(($0.done, $0.total, $0.doneNow, $0.failure?.name))
    }
    let first = try #require(seen.first)
    #expect(first.now == 1 && first.done > 1)
    #expect(seen.map(\.done) == Array(first.done...11))
    #expect(seen.allSatisfy { $0.total == 11 })
  }

  @Test func incompatiblePartsAreRejected() throws {
    func error(_ body: () throws -> Void) -> String {
      do { try body() } catch { return "\(error)" }
      return "nothing"
    }
    let path = scratch.path("whole.jsonl")
    #expect(
      error { _ = try Roots().run(journal: path) }.hasSuffix(
        "exists already; use --resume to continue it, or another --output to start again"))
    var other = Roots()
    other.configuration["methods"] = ["cube root"]
    #expect(
      error { _ = try other.run(journal: path, resumes: true) }.hasSuffix(
        "whole.jsonl cannot be continued: it has methods square root, not cube root"))
    var longer = Roots()
    longer.count = 12
    #expect(error { _ = try longer.run(journal: path, resumes: true) }.hasSuffix("it has 11 items, not 12"))
    #expect(
      error { _ = try Roots().run(journal: path, shard: Shard(rawValue: "1/2")!, resumes: true) }.hasSuffix(
        "it has shards of 1, not of 2"))

    let (one, two) = (scratch.path("1.jsonl"), scratch.path("2.jsonl"))
    _ = try Roots().run(journal: one, shard: Shard(rawValue: "1/2")!)
    _ = try other.run(journal: two, shard: Shard(rawValue: "2/2")!)
    #expect(error { _ = try Journal.merging([one, two], of: Roots.self) }.contains("are not of the same evaluation"))
    #expect(
      error { _ = try Journal.merging([one], of: Roots.self) } == "expected all shards of the evaluation, found 1/2")
    #expect(error { _ = try Journal.merging([one, one], of: Roots.self) }.hasSuffix("shard 1/2 occurs twice"))
    #expect(error { _ = try Journal.merging([], of: Roots.self) }.hasPrefix("expected journals to merge"))
    try bytes("1.jsonl").dropLast(3).write(to: URL(fileURLWithPath: one))
    #expect(
      error { _ = try Journal.merging([one], of: Roots.self) }.hasSuffix(
        "only 5 of 6 items are done; continue its evaluation with --resume first"))

    for (text, message) in [
      ("", "expected a journal of relevance evaluate"), ("{}\n", "expected a journal of relevance evaluate"),
      (
        String(decoding: whole, as: UTF8.self).replacing(#""evaluation":"roots""#, with: #""evaluation":"squares""#),
        "expected a journal of roots, found one of squares"
      ),
      (
        String(decoding: whole, as: UTF8.self).replacing(#"{"index":3"#, with: #"{"index":7"#),
        "line 5 is damaged: expected item 3, found 7"
      ),
      (String(decoding: whole, as: UTF8.self).replacing(#"{"index":3"#, with: "{\"ind\0x"), "line 5 is damaged"),
      (
        String(decoding: whole, as: UTF8.self).replacing(#""root":3}"#, with: #""root":-3}"#),
        "line 11 is damaged: the record does not fit the first line"
      ),
      (String(decoding: whole, as: UTF8.self) + "{}\n", "line 13 is damaged: there are only 11 items"),
    ] {
      try Data(text.utf8).write(to: scratch.url.appendingPathComponent("bad.jsonl"))
      #expect(error { _ = try Journal.read(scratch.path("bad.jsonl"), of: Roots.self) }.contains(message))
    }
    #expect(
      error { _ = try Journal.read(scratch.path("none"), of: Roots.self) }.hasSuffix(
        "no such journal, or no permission to read it"))
  }

  /// Two processes would mix their lines.
  @Test func journalsHaveOneWriter() throws {
    let path = scratch.path("locked.jsonl")
    let nested = PreparedEvaluation(Roots.self, configuration: [:], items: ["only"]) { _ in
      do { _ = try Roots().run(journal: path, resumes: true) } catch let error as SimpleError
        where error == .inUse(path)
      { return Roots.Record(root: 1) }
      return Roots.Record(root: 0)
    }
    let journal = try nested.run(journal: path)
    #expect(journal.records(Roots.Record.self).first?.record.root == 1)
  }

  @Test(arguments: ["", "1", "0/2", "3/2", "1/0", "-1/2", "1/2/3", "a/b", "1/"]) func notShards(text: String) {
    #expect(Shard(rawValue: text) == nil)
  }
}
