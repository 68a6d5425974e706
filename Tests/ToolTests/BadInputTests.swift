import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Every error is one line on standard error that names the place and the problem, has the right exit status, and
/// writes no file.
@Suite struct BadInputTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let status: Int32
    /// The line without `relevance: `.
    let line: String
    let arguments: [String]

    init(_ name: String, _ status: Int32, _ line: String, _ arguments: String...) {
      testDescription = name
      self.status = status
      self.line = line
      self.arguments = arguments
    }
  }

  private static let methods = MethodCatalog.standard.methods.map(\.name).joined(separator: ", ")
  private static let commands = "explain, predict, inspect, doctor, lab, units, concepts, evaluate, serve, bench, list"
  private static let evaluations = EvaluationCatalog.types.map { $0.subcommand }.joined(separator: ", ")
  private static let scales = "expected own, common, or fixed:V with a number V greater than 0"
  static let presets = RuleTable.presetNames.joined(separator: ", ")

  static let usage: [Case] = [
    Case(
      "unknown command", 64, "explian: no such command; expected explain? One of \(commands)", "explian", "model",
      "input.npy"),
    Case("unlike any command", 64, "why: no such command; expected one of \(commands)", "why", "model"),
    Case(
      "unknown evaluation", 64,
      "ponting: no such command; expected pointing? One of \(evaluations), merge", "evaluate", "ponting", "model",
      "data"),
    Case(
      "quiet and verbose", 64, "--quiet and --verbose exclude each other", "explain", "model", "input.npy", "-q", "-v"),
    Case(
      "nothing of the kind to list", 64,
      "The value 'rule' is invalid for '<subject>'. Please provide one of 'methods', 'rules', 'tables', 'operators' or 'models'.",
      "list", "rule"),
    Case("no model", 64, "Missing expected argument '<model>'", "explain"),
    Case("no input", 64, "Missing expected argument '<input> ...'", "explain", "model"),
    Case("unknown option", 64, "Unknown option '--depth'", "explain", "model", "input.npy", "--depth", "3"),
    Case(
      "unknown method", 64,
      "The value 'grad' is invalid for '--method <m>': found method grad; expected one of \(methods)",
      "explain", "model", "input.npy", "--method", "grad"),
    Case(
      "unknown kind of target", 64,
      "The value 'zebra' is invalid for '--target <t>': expected label:zebra? One of top:K, class:N[@Y,X], label:NAME[@Y,X], region:N, box:K, unit:NODE/CHANNEL[@Y,X] or cosine:FILE.npy",
      "explain", "model",
      "input.npy", "--target", "zebra"),
    Case(
      "class without its kind", 64,
      "The value '3' is invalid for '--target <t>': expected class:3? One of top:K, class:N[@Y,X], label:NAME[@Y,X], region:N, box:K, unit:NODE/CHANNEL[@Y,X] or cosine:FILE.npy",
      "explain", "model", "input.npy", "--target", "3"),
    Case(
      "no best classes", 64,
      "The value 'top:0' is invalid for '--target <t>': expected top:K, class:N[@Y,X], label:NAME[@Y,X], region:N, box:K, unit:NODE/CHANNEL[@Y,X] or cosine:FILE.npy",
      "explain", "model", "input.npy", "--target", "top:0"),
    Case(
      "class out of range", 64, "there is no class 288: the network has classes 0 to 287", "explain", "model",
      "input.npy",
      "--target", "class:5", "--target", "class:288"),
    Case(
      "unknown label", 64, "label:zebra: no class has this name; config.json beside the model lists all names",
      "explain", "model", "input.npy", "--target",
      "label:zebra"),
    Case(
      "mistyped label", 64, "label:cofeepot: no class has this name; did you mean \"coffeepot\"?", "explain", "model",
      "input.npy", "--target", "label:cofeepot"),
    Case(
      "mistyped second name of a label", 64, "label:taby cat: no class has this name; did you mean \"tabby cat\"?",
      "explain", "model", "input.npy", "--target", "label:taby cat"),
    Case(
      "part of a label", 64, "label:coffee: no class has this name; did you mean \"coffee mug\", \"coffeepot\"?",
      "explain",
      "model", "input.npy", "--target", "label:coffee"),
    Case(
      "label of two classes", 64, "label:dog: several classes have this name; use class:1 or class:2", "explain",
      "model",
      "input.npy", "--target", "label:dog"),
    Case(
      "label without labels", 64,
      "label:dog: the model has no labels; put a config.json with id2label beside it, or use class:N", "explain",
      "bare.onnx", "input.npy", "--target", "label:dog"),
    Case(
      "unknown rule table", 64, "papre: no such rule table (did you mean paper?); expected \(presets) or a YAML file",
      "explain", "model",
      "input.npy", "--rules", "papre"),
    Case(
      "unknown parameter of a method", 64,
      "The value 'clrp1:power=2' is invalid for '--method <m>': method clrp1: found power; expected against, strength",
      "explain", "model", "input.npy", "--method", "clrp1:power=2"),
    Case(
      "bad parameter of a method", 64,
      "The value 'smoothgrad:samples=0' is invalid for '--method <m>': method smoothgrad: found samples \"0\"; expected a "
        + "whole number from 1 to 1000000", "explain", "model", "input.npy", "--method", "smoothgrad:samples=0"),
    Case(
      "mistyped method", 64,
      "The value 'gradcam' is invalid for '--method <m>': found method gradcam; expected grad-cam? One of \(methods)",
      "explain", "model", "input.npy", "--method", "gradcam"),
    Case(
      "unit of no node", 64, "z: the network has no such node; did you mean x?", "explain", "bare.onnx", "input.npy",
      "--target", "unit:z/0"),
    Case(
      "no such unit", 64, "node y has no channel 4: its output has shape 1×4×8×9", "explain", "bare.onnx", "input.npy",
      "--target", "unit:y/4"),
    Case(
      "contrast of a unit", 64,
      "clrp1 contrasts a class with the other classes, but a unit has no alternatives; expected a class, or clrp2",
      "explain", "bare.onnx", "input.npy", "--target", "unit:y/1", "--method", "clrp1"),
    Case(
      "unknown artifact", 64, "--save: jpg is not one of png, npy, json, html", "explain", "model", "input.npy",
      "--save",
      "npy,jpg"),
    Case(
      "unknown scale", 64,
      "The value 'log' is invalid for '--scale <own|common|fixed:v>': found scale \"log\"; \(scales)",
      "explain", "model", "input.npy", "--scale", "log"),
    Case(
      "scale without a number", 64,
      "The value 'fixed' is invalid for '--scale <own|common|fixed:v>': found scale \"fixed\"; \(scales)",
      "explain", "model", "input.npy", "--scale", "fixed"),
    Case(
      "scale that is no number", 64,
      "The value 'fixed:much' is invalid for '--scale <own|common|fixed:v>': found scale \"fixed:much\"; \(scales)",
      "explain", "model", "input.npy", "--scale", "fixed:much"),
    Case(
      "negative scale", 64,
      "The value 'fixed:-1' is invalid for '--scale <own|common|fixed:v>': found scale \"fixed:-1\"; \(scales)",
      "explain", "model", "input.npy", "--scale", "fixed:-1"),
    Case(
      "scale of zero", 64,
      "The value 'fixed:0' is invalid for '--scale <own|common|fixed:v>': found scale \"fixed:0\"; \(scales)",
      "explain", "model", "input.npy", "--scale", "fixed:0"),
    Case(
      "infinite scale", 64,
      "The value 'fixed:inf' is invalid for '--scale <own|common|fixed:v>': found scale \"fixed:inf\"; \(scales)",
      "explain", "model", "input.npy", "--scale", "fixed:inf"),
    Case("artifact of predict", 64, "--save is png; expected npy", "predict", "model", "input.npy", "--save", "png"),
    Case(
      "no threads", 64, "--threads is 0; expected a number from 1 to 1024", "predict", "model", "input.npy",
      "--threads", "0"),
    Case(
      "no classes to print", 64, "--top is 0; expected a positive number", "predict", "model", "input.npy", "--top", "0"
    ),
    Case("no runs", 64, "--runs is 0; expected a positive number", "bench", "model", "--runs", "0"),
    Case("no items", 64, "--batch is 0; expected a positive number", "bench", "model", "--batch", "0"),
    Case("no pixels", 64, "--side is 0; expected a positive number", "bench", "model", "--side", "0"),
    Case(
      "side of a file", 64, "--side applies to the gray input; found an input file", "bench", "model", "input.npy",
      "--side", "8"),
    Case("predictions without requests", 64, "--forward needs --on-request", "bench", "model", "--forward"),
    Case(
      "several methods on request", 64, "--on-request takes one method and one target", "bench", "model",
      "--on-request", "--method", "lrp", "--method", "clrp2"),
    Case(
      "two inputs of one name", 64,
      "input.npy and ./input.npy would write to the same results folder; rename one of them", "explain",
      "model",
      "input.npy", "./input.npy"),
  ]

  @Test(arguments: usage + missing + badData + lab) func oneLine(one: Case) throws {
    let bench = try Workbench()
    let model = try Data(contentsOf: URL(fileURLWithPath: bench.path("bare.onnx")))
    let files = FileManager.default
    try model.prefix(100).write(to: URL(fileURLWithPath: bench.path("truncated.onnx")))
    for (name, text) in [
      ("empty.onnx", ""), ("text.jpg", "no image"), ("text.npy", "no tensor"), ("rules.yaml", "name: mine"),
      ("other.yaml", "name: other\nrules: [{op: Gemm, rule: zPlus}]"),
    ] { try bench.write(text, to: name) }
    for (name, shape) in [("channels", [1, 4, 8, 9]), ("axes", [8, 9]), ("batch", [2, 3, 8, 9])] {
      try NumPyFile.write(Tensor(shape: TensorShape(shape)), to: bench.path("\(name).npy"))
    }
    try RGBImage(width: 30, height: 20, filledWith: .white).writePNG(to: bench.path("large.png"))
    try files.copyItem(atPath: bench.path("model"), toPath: bench.path("damaged"))
    try bench.fill("inputs", ["a", "b"])
    try bench.write("{", to: "damaged/config.json")
    let before = bench.contents(of: ".")

    let outcome = try bench.run(one.arguments)
    let found = outcome.errors.replacingOccurrences(of: bench.scratch.url.path + "/", with: "")
    #expect(found == "relevance: \(one.line)\n")
    #expect(outcome.status == one.status)
    #expect(outcome.output.isEmpty)
    #expect(bench.contents(of: ".") == before)
  }

  /// The error is one line even if a name contains a line break.
  @Test func namesDoNotBreakTheLine() throws {
    let outcome = try Workbench().run("predict", "model", "two\nlines.npy")
    #expect(outcome.status == 66)
    #expect(outcome.errorLines.count == 1)
  }

  /// An input with NaN is rejected.
  @Test func inputsMustBeFinite() throws {
    let bench = try Workbench()
    try NumPyFile.write(Tensor(shape: [1, 3, 8, 9], repeating: .nan), to: bench.path("nan.npy"))
    let outcome = try bench.run("explain", "model", "nan.npy")
    #expect(outcome.status == 65)
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("has values that are not finite (NaN or infinite)"))
    #expect(bench.contents(of: "explanations").isEmpty)
  }

  @Test func resultsThatCannotBeWritten() throws {
    let bench = try Workbench()
    try bench.write("a file", to: "taken")
    for (command, options, folder) in [
      ("explain", [], "taken/input"), ("predict", ["--save", "npy"], "taken/input"),
      ("lab", ["--layer", "y", "--rule", "z"], "taken"),
    ] {
      let outcome = try bench.run([command, "model", "input.npy", "--output", "taken"] + options)
      #expect(outcome.status == 73)
      #expect(outcome.errorLines.count == 1)
      #expect(outcome.errors.contains("\(folder): the folder cannot be created: "))
    }
  }
}
