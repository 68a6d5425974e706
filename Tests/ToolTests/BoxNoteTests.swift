import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Notes on inputs that leave the box of rule z^B.
@Suite struct BoxNoteTests {
  /// The preprocessing of a tensor is unknown, so a note states the range that rule z^B assumes. Every input that
  /// leaves the box is named with its range in notes, report and page.
  @Test func inputsOutsideTheBoxAreNoted() throws {
    let bench = try Workbench()
    let assumed = "note: no preprocessor_config.json beside the model; ImageNet's usual range is assumed for rule zB"
    var x = Tensor(shape: [1, 3, 8, 9], repeating: 0.5)
    try NumPyFile.write(x, to: bench.path("inside.npy"))
    x[0, 1, 2, 3] = 140
    x[0, 2, 0, 0] = -120
    try NumPyFile.write(x, to: bench.path("outside.npy"))
    try bench.write(
      "extends: default\nrules:\n  - {op: Conv, position: first, rule: zB, lower: [0, 0, -120], upper: [1, 140, 1]}",
      to: "right.yaml")
    let files = ["inside.npy", "outside.npy", "--save", "json,html"]
    let outcome = try bench.run(["explain", "bare.onnx"] + files + ["--method", "lrp"])
    #expect(outcome.status == 0 && outcome.errorLines.first == assumed)
    let notes = outcome.errorLines.filter { $0.contains("exceeds the box") }
    #expect(notes.count == 1)
    #expect(
      notes.first?.hasPrefix(
        "note: outside.npy: y: the input of the layer exceeds the box of rule zB, so relevance can have the wrong sign: "
          + "channel 1 has the range 0.5…140, but its box is -2.036…2.429; channel 2 has the range -120…0.5, but its box "
          + "is -1.804…2.64; write a preprocessor_config.json"
      ) == true)
    for file in ["report.json", "outside/explanation.html"] {
      let text = try String(contentsOfFile: bench.path("explanations/\(file)"), encoding: .utf8)
      #expect(text.contains("outside.npy: y: the input of the layer exceeds the box of rule zB"))
    }
    // No note if nothing is assumed, or if no rule depends on the range.
    let right = try bench.run(["explain", "bare.onnx"] + files + ["--method", "lrp", "--rules", "right.yaml"])
    #expect(right.status == 0 && !right.errors.contains("zB"))
    let gradient = try bench.run(["explain", "bare.onnx"] + files + ["--method", "gradient"])
    #expect(gradient.status == 0 && !gradient.errors.contains("zB"))
    // The other commands. The rules that lab compares have boxes, too.
    for arguments in [
      ["lab", "bare.onnx", "outside.npy", "--layer", "y", "--rule", "zB"],
      ["bench", "bare.onnx", "outside.npy", "--runs", "1"],
      ["units", "bare.onnx", "outside.npy", "--layer", "y", "--top", "2", "--save", "csv"],
    ] {
      let outcome = try bench.run(arguments)
      #expect(outcome.errorLines.first == assumed, "\(arguments)")
      #expect(outcome.errors.contains("outside.npy: y: the input of the layer exceeds the box"), "\(arguments)")
    }
    let tried = try bench.run(
      "lab", "bare.onnx", "outside.npy", "--layer", "y", "--rules", "right.yaml", "--rule",
      "zB:l=[0,0,-120],u=[1,140,1]",
      "--rule", "zB:l=0,u=1")
    #expect(tried.errorLines.filter { $0.contains("exceeds the box") }.count == 1)
    #expect(tried.errors.contains("channel 1 has the range 0.5…140, but its box is 0…1"))
  }

  /// Standard error names only some of many inputs; the report names all.
  @Test func manyInputs() throws {
    let bench = try Workbench()
    try FileManager.default.createDirectory(atPath: bench.path("many"), withIntermediateDirectories: true)
    for index in 0..<7 {
      try NumPyFile.write(Tensor(shape: [3, 8, 9], repeating: 9 + Float(index)), to: bench.path("many/\(index).npy"))
    }
    let outcome = try bench.run("explain", "model", "many", "--method", "lrp", "--save", "json")
    let notes = outcome.errorLines.filter { $0.contains("the box of rule zB") }
    #expect(notes.count == 6 && notes.last == "note: 2 more inputs leave the box of rule zB")
    let report = try String(contentsOfFile: bench.path("explanations/report.json"), encoding: .utf8)
    #expect(report.components(separatedBy: "exceeds the box").count == 8)
  }

  /// All images of a data set are prepared in the same way, so only the first that leaves the box of a row is named.
  @Test func evaluations() throws {
    let bench = try Workbench()
    try bench.write(#"{"id2label": {"0": "0", "5": "5"}}"#, to: "model/config.json")
    for (index, folder) in ["data/0", "data/5"].enumerated() {
      try FileManager.default.createDirectory(atPath: bench.path(folder), withIntermediateDirectories: true)
      try RGBImage(width: 9, height: 8, filledWith: index == 0 ? .white : .black).writePNG(
        to: bench.path("\(folder)/a.png"))
    }
    try bench.write(
      "extends: default\nrules:\n  - {op: Conv, position: first, rule: zB, lower: -0.1, upper: 0.1}", to: "narrow.yaml")
    func notes(_ output: String, _ arguments: String...) throws -> [String] {
      let outcome = try bench.run(
        ["evaluate", "similarity", "model", "data", "--output", output] + arguments)
      #expect(outcome.status == 0, "\(outcome.errors)")
      return outcome.errorLines.filter { $0.contains("exceeds the box") }
    }
    let narrow = try notes("narrow", "--rules", "narrow.yaml", "--method", "lrp", "--method", "clrp1")
    #expect(narrow.count == 1 && narrow[0].contains("its box is -0.1…0.1"))
    #expect(try notes("own", "--method", "lrp", "--method", "clrp1").isEmpty)
    #expect(
      try notes("gradients", "--rules", "narrow.yaml", "--method", "gradient", "--method", "grad-cam:layer=y").isEmpty)
  }
}
