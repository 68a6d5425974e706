import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Labels and names of nodes and files are untrusted: they cannot add lines or control characters to the output.
@Suite struct UntrustedTextTests {
  private let bench: Workbench

  init() throws { bench = try Workbench() }

  @Test func labelsForgeNothing() throws {
    let label = "x\\n 99.00 %  logit  9  class:9  cat\\u001b[2J\\u202e"
    let names = (0..<288).map { "\"\($0)\": \"\(label)\"" }.joined(separator: ", ")
    try bench.write(#"{"id2label": {\#(names)}}"#, to: "model/config.json")
    let shown = #"x\n 99.00 %  logit  9  class:9  cat\u{1B}[2J\u{202E}"#
    let predicted = try bench.run("predict", "model", "input.npy", "--top", "2")
    let lines = predicted.output.split(separator: "\n")
    #expect(predicted.status == 0 && lines.count == 3 && lines.dropFirst().allSatisfy { $0.hasSuffix(shown) })
    let explained = try bench.run("explain", "model", "input.npy", "--save", "json")
    #expect(explained.status == 0 && explained.output.contains(shown) && !explained.output.contains("\u{1B}"))
    // JSON contains the text of the file unchanged.
    let report = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: bench.path("explanations/report.json"))))
    let inputs = try #require((report as? [String: Any])?["inputs"] as? [[String: Any]])
    let first = try #require((inputs[0]["predictions"] as? [[String: Any]])?.first?["label"] as? String)
    #expect(first == "x\n 99.00 %  logit  9  class:9  cat\u{1B}[2J\u{202E}")
  }

  @Test func namesOfFilesForgeNothing() throws {
    try bench.fill("data", ["a\nb\u{1B}[2J"])
    let outcome = try bench.run("predict", "model", "data", "--top", "1")
    #expect(outcome.status == 0 && outcome.output.hasPrefix("data/a\\nb\\u{1B}[2J.npy\n  "))
    let missing = try bench.run("predict", "model", "c\n\u{1B}[2J\u{202E}.npy")
    #expect(missing.status == 66 && missing.errors.hasPrefix("relevance: c\\n\\u{1B}[2J\\u{202E}.npy: no such file"))
    #expect(missing.errorLines.count == 1)
  }

  /// A header that declares many items gives a single error.
  @Test func headersPromiseNoItems() throws {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (40000000, 3, 8, 9), }\n"
    let head = Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count), 0])
    try (head + Data(header.utf8)).write(to: URL(fileURLWithPath: bench.path("batch.npy")))
    let outcome = try bench.run("predict", "model", "batch.npy")
    #expect(outcome.status == 65 && outcome.errorLines.count == 1)
    #expect(outcome.errors.hasPrefix("relevance: batch.npy: the .npy file ends early"))
  }

  @Test func longErrorsAreCut() throws {
    try bench.write("rules:\n  - {rule: \"\(String(repeating: "a", count: 2_000_000))\"}\n", to: "rules.yaml")
    for arguments in [
      ["inspect", "model", "--rules", "rules.yaml"], ["predict", String(repeating: "b", count: 100_000), "input.npy"],
    ] {
      let outcome = try bench.run(arguments)
      #expect([65, 66].contains(outcome.status))
      #expect(outcome.errorLines.count == 1 && outcome.errorLines[0].unicodeScalars.count <= 1000)
      #expect(outcome.errors.contains("characters omitted"))
    }
  }

  /// Spreadsheets evaluate cells that start in this way.
  @Test(arguments: ["=1+1", "+1", "-1", "@A", "\t=1"]) func cellsAreNoFormulas(text: String) {
    let table = ResultTable(title: text, columns: ["method", text], rows: [[.text(text), .number(-0.5)]])
    let quoted = "'\(text)"
    #expect(table.csv == "method,\(quoted)\r\n\(quoted),-0.5\r\n")
  }

  @Test func cellsOfMarkdownAreText() {
    let table = ResultTable(title: "<b>", columns: ["a|b"], rows: [[.text("[x](y) `c` *d* <i>\n|")]])
    #expect(
      table.markdown == "### &lt;b&gt;\n\n| a\\|b |\n| --- |\n| \\[x\\](y) \\`c\\` \\*d\\* &lt;i&gt;\\\\n\\| |\n")
  }

  @Test(arguments: [
    (["predict", "model", "-dash.npy"], "-dash.npy: no such option; a file of this name is ./-dash.npy"),
    (["predict", "model", "input.npy", "--top", "-1"], "--top is -1; expected a positive number"),
    (["explain", "model", "input.npy", "--output", ""], "--output is empty; expected a path"),
    (["explain", "model", "input.npy", "--output="], "--output is empty; expected a path"),
    (["inspect", "model", "--why", "class"], "class: the network has no such node; did you mean classes?"),
    (
      ["inspect", "model", "--receptive-field", "nothing@0,0"],
      "nothing: the network has no such node; relevance inspect lists the nodes"
    ),
  ]) func commandLines(arguments: [String], message: String) throws {
    let outcome = try bench.run(arguments)
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.errors == "relevance: \(message)\n")
  }

  @Test func filesMayBeginWithADash() throws {
    try FileManager.default.copyItem(atPath: bench.path("input.npy"), toPath: bench.path("-h.npy"))
    for arguments in [["./-h.npy"], ["--", "-h.npy"]] {
      let outcome = try bench.run(["predict", "model"] + arguments)
      #expect(outcome.status == 0 && outcome.output.contains("-h.npy\n"), "\(outcome.errors)")
    }
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/stdin"), "there is no /dev/stdin here"))
  func standardInputHasAnotherName() throws {
    let tensor = try Data(contentsOf: URL(fileURLWithPath: bench.path("input.npy")))
    let outcome = try bench.run(["predict", "model", "/dev/stdin"], input: tensor)
    #expect(outcome.status == 0 && outcome.output.hasPrefix("/dev/stdin\n"), "\(outcome.errors)")
  }
}
