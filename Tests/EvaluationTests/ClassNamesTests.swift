import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The mapping from names to classes of a network.
@Suite struct ClassNamesTests {
  private let labels = [
    0: "tench, Tinca tinca", 1: "crane", 2: "crane, lifting device", 3: "Bass", 4: "maillot", 5: "maillot",
  ]

  @Test(
    arguments: [
      ("tench, Tinca tinca", 0), ("TINCA TINCA", 0), (" tench ", 0), ("crane", 1), ("lifting device", 2), ("bass", 3),
      ("0", 0), ("5", 5), ("005", 5), ("-1", nil), ("", nil), ("shark", nil),
    ] as [(String, Int?)])
  func labelsAreLookedUp(_ name: String, _ index: Int?) throws {
    #expect(try ClassNames(names: labels, count: 6).index(of: name, in: "data") == index)
  }

  @Test func indicesAreChecked() {
    #expect(
      sentence { try ClassNames(names: labels, count: 6).index(of: "6", in: "data") }
        == "data: expected a class from 0 to 5, found 6")
  }

  @Test func namesOfSeveralClassesAreErrors() {
    #expect(
      sentence { try ClassNames(names: labels, count: 6).index(of: "Maillot", in: "data") }
        == "data: the class Maillot is ambiguous: 4 or 5; provide a class file that maps it to a number")
  }

  @Test(arguments: [
    "n00000001 tench, Tinca tinca\nn00000002 crane\nn00000003\tmaillot\n", "n00000001\r\nn00000002\r\nn00000003\r\n",
    "[\"n00000001\", [\"n00000002\", \"crane\"], \"n00000003\"]",
    "{\"n00000001\": 0, \"n00000002\": 1, \"n00000003\": 2}",
    "{\"0\": \"n00000001\", \"1\": [\"n00000002\", \"crane\"], \"2\": {\"wnid\": \"n00000003\", \"label\": \"maillot\"}}",
  ])
  func classFiles(_ text: String) throws {
    let scratch = try Fixtures.Scratch()
    try Data(text.utf8).write(to: scratch.url.appendingPathComponent("classes"))
    let names = try ClassNames(contentsOf: scratch.path("classes"), names: labels, count: 6)
    #expect(try (1...3).map { try names.index(of: "n0000000\($0)", in: "") } == [0, 1, 2])
    // A name that is not in the file can be a label; names of the file take precedence.
    #expect(try names.index(of: "bass", in: "") == 3)
    #expect(try names.index(of: "crane", in: "") == 1)
    if text.contains("maillot") { #expect(try names.index(of: "maillot", in: "") == 2) }
  }

  @Test func classFilesCanUseNumbersAsNames() throws {
    let scratch = try Fixtures.Scratch()
    try Data("1\n10\n2\n".utf8).write(to: scratch.url.appendingPathComponent("classes"))
    let names = try ClassNames(contentsOf: scratch.path("classes"), count: 3)
    #expect(try ["1", "10", "2", "0"].map { try names.index(of: $0, in: "") } == [0, 1, 2, 0])
  }

  @Test(arguments: [
    ("", "expected a class file: JSON, or a line per class, found nothing"),
    ("a\n\nb", "line 2: expected the name of a class, found nothing"),
    ("a\nb\nc", "expected a class from 0 to 1, found 2"),
    ("{\"a\": 2}", "expected a class from 0 to 1, found 2"),
    ("{\"a\": -1}", "expected a class from 0 to 1, found -1"),
    ("{\"a\": \"b\"}", "a: expected the index of a class, found b"),
    ("[1]", "[0]: expected the name of a class, found a number"),
    ("[\"a\"", "expected JSON, found the given data was not valid JSON"),
    ("{\"a\": null}", "a: expected a list, found null"),
  ])
  func damagedClassFiles(_ text: String, _ expected: String) throws {
    let scratch = try Fixtures.Scratch()
    try Data(text.utf8).write(to: scratch.url.appendingPathComponent("classes"))
    #expect(
      sentence { try ClassNames(contentsOf: scratch.path("classes"), count: 2) }
        == "\(scratch.path("classes")): \(expected)")
  }

  @Test func classFileMustExist() {
    #expect(
      sentence { try ClassNames(contentsOf: "/nowhere", count: 2) }
        == "/nowhere: not found; expected a class file: JSON, or a line per class")
  }

  private func sentence(_ body: () throws -> some Any) -> String {
    do {
      _ = try body()
      return "no error"
    } catch { return (error as? any RelevanceKitError)?.description ?? "another error: \(error)" }
  }
}
