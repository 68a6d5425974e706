import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Input and output of the commands: folders, standard input, pipes, terminals, and verbosity.
@Suite struct InputOutputTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  @Test func foldersAreTheirInputs() throws {
    try bench.fill("inputs", ["b", "a", ".hidden"])
    try bench.write("no input", to: "inputs/notes.txt")
    let outcome = try bench.run("explain", "model", "inputs", "input.npy", "--save", "npy,json")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output.split(separator: "\n").filter { !$0.hasPrefix(" ") } == [
        "inputs/a.npy", "inputs/b.npy", "input.npy",
      ])
    #expect(
      bench.contents(of: "explanations").filter { !$0.contains("/") } == ["a", "b", "input", "report.json"])
    let other = try bench.run("predict", "model", "inputs/")
    #expect(other.output.hasPrefix("inputs/a.npy\n"))
  }

  /// Inputs can have the same name if no files are written.
  @Test func printedPredictionsMayShareAName() throws {
    let outcome = try bench.run("predict", "model", "input.npy", "./input.npy")
    #expect(outcome.status == 0)
    #expect(try bench.run("predict", "model", "input.npy", "./input.npy", "--save", "npy").status == 64)
  }

  @Test func skippedImagesAreNoted() throws {
    try bench.fill("inputs", ["a"])
    for name in ["b.webp", "c.BMP", "d.txt"] { try bench.write("", to: "inputs/\(name)") }
    let outcome = try bench.run("explain", "model", "inputs", "--save", "npy")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "note: inputs: .bmp, .webp files are left out; expected .jpg, .png or .npy\n")
  }

  /// Incomplete or inconsistent files beside the network give notes.
  @Test(arguments: [
    (
      #"{"mean": [0.5, 0.5, 0.5], "size": 9, "image_std": [1, 1, 1]}"#, #"{"id2label": {"0": "a", "300": "b"}}"#,
      [
        "has no image_mean; using", "mean is not read (image_mean?)",
        "names class 300, but the network has classes 0 to 287",
      ]
    ),
    ("{}", #"{"labels": ["a"]}"#, ["has no size, image_mean, image_std", "has no id2label"]),
    ("{}", #"{"id2label": {"9223372036854775807": "a"}}"#, ["names class 9223372036854775807, but the network has"]),
  ])
  func doubtfulFilesAreNoted(preprocessing: String, labels: String, notes: [String]) throws {
    try bench.write(preprocessing, to: "model/preprocessor_config.json")
    try bench.write(labels, to: "model/config.json")
    let outcome = try bench.run("explain", "model", "input.npy", "--save", "npy")
    #expect(outcome.status == 0)
    for note in notes { #expect(outcome.errors.contains(note), "\(outcome.errors)") }
  }

  @Test func rowsWithoutNodesAreNoted() throws {
    try bench.write("name: mine\nextends: default\nrules: [{name: 'nosuch*', rule: pass}]", to: "mine.yaml")
    let outcome = try bench.run("inspect", "model", "--rules", "mine.yaml")
    #expect(outcome.status == 0)
    #expect(outcome.errors == "note: row 1 of rule table mine selects nodes named nosuch*, but the network has none\n")
  }

  @Test func inputsOfOneNameAreRefusedInFoldersToo() throws {
    try bench.fill("inputs", ["input"])
    let outcome = try bench.run("explain", "model", "input.npy", "inputs")
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("input.npy and inputs/input.npy would write to the same results folder"))
  }

  /// Tensors and images from a pipe give the same results as from files.
  @Test func standardInputIsAnInput() throws {
    let tensor = try Data(contentsOf: URL(fileURLWithPath: bench.path("input.npy")))
    let piped = try bench.run(["explain", "model", "-", "--save", "npy,json,html"], input: tensor)
    #expect(piped.status == 0 && piped.errors.isEmpty)
    #expect(try bench.run("explain", "model", "input.npy").status == 0)
    let files = bench.contents(of: "explanations/stdin").filter { $0.hasSuffix(".npy") }
    #expect(files.count == 1)
    for file in files {
      #expect(
        try NumPyFile.read(bench.path("explanations/stdin/\(file)"))
          == NumPyFile.read(bench.path("explanations/input/\(file)")))
    }
    let page = try String(contentsOfFile: bench.path("explanations/stdin/explanation.html"), encoding: .utf8)
    #expect(page.contains("relevance explain model -") && page.contains("  -\n") || page.contains("  -<"))

    try RGBImage(width: 9, height: 8, filledWith: RGBColor(red: 9, green: 90, blue: 200)).writePNG(
      to: bench.path("blue.png"))
    let image = try Data(contentsOf: URL(fileURLWithPath: bench.path("blue.png")))
    let output = try bench.run(["predict", "model", "-"], input: image).output
    #expect(output.hasPrefix("standard input\n"))
    #expect(
      output.split(separator: "\n").dropFirst()
        == (try bench.run("predict", "model", "blue.png")).output.split(separator: "\n").dropFirst())
    let lab = try bench.run(["lab", "model", "-", "--layer", "y", "--rule", "z"], input: tensor)
    #expect(lab.status == 0 && lab.output.hasPrefix("standard input: y (Conv)"))
  }

  @Test(arguments: [
    (Data(), "standard input: not an image: expected JPEG or PNG, found an empty file"),
    (Data("text".utf8), "standard input: not an image: expected JPEG or PNG, found text"),
    (Data([0x93] + Array("NUMPY".utf8)), "standard input: "),
    (Data([0x89] + Array("PNG\r\n".utf8) + [0x1A, 0x0A]), "standard input: truncated PNG"),
  ]) func standardInputThatIsNoInput(data: Data, message: String) throws {
    let outcome = try bench.run(["explain", "model", "-"], input: data)
    #expect(outcome.status == 65 && outcome.errorLines.count == 1)
    #expect(outcome.errors.hasPrefix("relevance: \(message)"), "\(outcome.errors)")
    #expect(bench.contents(of: "explanations").isEmpty)
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "there is no /dev/full here"))
  func aFullDiskIsNoSuccess() throws {
    let outcome = try bench.run(["predict", "model", "input.npy"], input: Data(), output: "/dev/full")
    #expect(outcome.status == 73)
    #expect(outcome.errors == "relevance: standard output: cannot be written: No space left on device\n")
  }

  @Test func quietPrintsErrorsOnly() throws {
    for arguments in [["explain", "bare.onnx", "blue.png"], ["predict", "bare.onnx", "blue.png"]] {
      try RGBImage(width: 9, height: 8, filledWith: .black).writePNG(to: bench.path("blue.png"))
      let loud = try bench.run(arguments + ["--fit", "native"])
      #expect(loud.status == 0 && loud.errors.hasPrefix("note: no preprocessor_config.json beside the model"))
      let quiet = try bench.run(arguments + ["--fit", "native", "--quiet"])
      #expect(quiet.status == 0 && quiet.errors.isEmpty)
      // The result of predict is its output.
      #expect(quiet.output.isEmpty == (arguments[0] == "explain"))
    }
    let failing = try bench.run("explain", "bare.onnx", "nothing.png", "-q")
    #expect(failing.status == 66 && failing.errorLines.count == 1)
    let converting = try bench.run(
      ["bare.onnx", "out.onnx", "-q"], tool: "convert-model")
    #expect(converting.status == 0 && converting.output.isEmpty && converting.errors.isEmpty)
  }

  @Test func verbosePrintsTimes() throws {
    let plain = try bench.run("explain", "model", "input.npy")
    let outcome = try bench.run("explain", "model", "input.npy", "--method", "lrp", "--verbose")
    #expect(outcome.status == 0)
    for text in [
      "opened model: ", "3 nodes; BLAS ", "read and prepared input.npy: ", "1×3×8×9", "ran the network", "by lrp: ",
      "wrote",
    ] {
      #expect(outcome.errors.contains(text), "\(text) in \(outcome.errors)")
    }
    #expect(outcome.output == plain.output.replacing("clrp1", with: "lrp"))
  }

  /// Output is colored on terminals only, and not with `NO_COLOR`.
  @Test(
    arguments: [
      (true, [:], true), (true, ["NO_COLOR": "1"], false), (true, ["NO_COLOR": ""], true),
      (true, ["TERM": "dumb"], false),
      (false, [:], false),
    ] as [(Bool, [String: String], Bool)]) func colors(onTerminal: Bool, environment: [String: String], expected: Bool)
    throws
  {
    var settings = ["TERM": "xterm", "NO_COLOR": ""]
    settings.merge(environment) { $1 }
    let outcome = try bench.run(
      ["explain", "model", "nothing.png"], environment: settings, input: Data(), onTerminal: onTerminal)
    let mark = expected ? "\u{1B}[1;31mrelevance: \u{1B}[0m" : "relevance: "
    #expect(outcome.errors == "\(mark)nothing.png: no such file; expected a .jpg, .png or .npy file\n")
  }

  @Test func progressIsALineThatIsCleared() throws {
    try bench.fill("inputs", (0..<3000).map { "\($0)" })
    let arguments = ["explain", "model", "inputs", "--save", "json"]
    let seen = try bench.run(arguments, input: Data(), onTerminal: true)
    #expect(seen.status == 0)
    #expect(seen.errors.contains("inputs: ") && seen.errors.hasSuffix("\r\u{1B}[K"))
    #expect(try bench.run(arguments + ["-q"], input: Data(), onTerminal: true).errors.isEmpty)
  }

  @Test func listsAreComplete() throws {
    func lines(_ subject: String) throws -> [String] {
      let outcome = try bench.run("list", subject, environment: ["RELEVANCEKIT_MODELS": bench.path(".")])
      #expect(outcome.status == 0 && outcome.errors.isEmpty)
      return outcome.output.split(separator: "\n").map(String.init)
    }
    #expect(try lines("tables") == RuleTable.presetNames)
    #expect(try lines("operators") == ONNXFile.operators && ONNXFile.operators.contains("Conv"))
    #expect(try lines("models").map { $0.prefix { $0 != " " } } == ["model"])
    let rules = try lines("rules")
    #expect(rules.map { String($0.prefix { $0 != " " }) } == RuleCatalog.standard.names)
    #expect(rules.contains { $0.hasPrefix("gamma ") && $0.contains("gamma=0.25 (a number of at least 0)") })
    // Every listed method can be used, except for those of attention, which the network does not have.
    for line in try lines("methods") {
      let words = line.split(separator: " ").map(String.init)
      if words[0].contains("attention") { continue }
      let text = words[0] + (words.count > 1 && !words[1].hasSuffix("=") ? ":" + words[1] : "")
      #expect(try bench.run("explain", "model", "input.npy", "--method", text, "-q").status == 0, "\(text)")
    }
  }

  @Test func shellsCompleteNodes() throws {
    let outcome = try bench.run(
      "---completion", "inspect", "--", "--why", "0", "0", "relevance", "inspect", "model", "--why")
    #expect(outcome.output.split(separator: "\n").map(String.init) == ["x", "y", "classes"])
    for shell in ["bash", "zsh", "fish"] {
      let script = try bench.run("--generate-completion-script", shell)
      #expect(script.status == 0 && script.output.contains("clrp1") && script.output.contains("EpsilonPlusFlat"))
    }
  }

  @Test(
    arguments: [
      [], ["explain"], ["predict"], ["inspect"], ["lab"], ["units"], ["bench"], ["list"], ["evaluate"],
      ["evaluate", "merge"],
    ] + EvaluationCatalog.types.map { ["evaluate", $0.subcommand] }) func helpHasExamples(command: [String]) throws
  {
    let help = try bench.run(command + ["--help"]).output
    // The generator of manual pages silently drops other letters.
    #expect(!help.contains { !$0.isASCII }, "\(help)")
    #expect(help.contains("Example: relevance") || help.contains("Examples:\n  relevance"), "\(help)")
  }

  @Test(arguments: ["relevance", "convert-model"]) func versions(tool: String) throws {
    let outcome = try bench.run(["--version"], tool: tool)
    #expect(outcome.status == 0 && outcome.output == "\(RelevanceKitPackage.version)\n")
  }
}
