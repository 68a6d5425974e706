import Foundation
import RelevanceTestSupport
import Testing

/// `relevance serve` starts the explorer, if it is installed.
@Suite struct ServeTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  @Test func withoutTheExplorerTheErrorExplainsTheInstallation() throws {
    let outcome = try bench.run("serve", "model", environment: ["PATH": bench.path("model")])
    #expect(outcome.status == 66 && outcome.output == "")
    #expect(outcome.errorLines.count == 1)
    #expect(outcome.errors.contains("relevance-explorer is not installed; expected it beside relevance or on the PATH"))
  }

  @Test(arguments: [
    ["squeezenet1.1", "--images", "photos", "--open"], ["a b.onnx", "--port=0", "--", "-x"], [], ["--version"],
  ]) func allArgumentsArePassedOn(arguments: [String]) throws {
    let folder = bench.path("programs")
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try bench.write("#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\"\nexit 7\n", to: "programs/relevance-explorer")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: folder + "/relevance-explorer")
    let outcome = try bench.run(["serve"] + arguments, environment: ["PATH": folder])
    guard arguments != ["--version"] else { return #expect(outcome.status == 0 || outcome.status == 7) }
    #expect(outcome.status == 7)
    #expect(outcome.output == (["\(arguments.count)"] + arguments).joined(separator: "\n") + "\n")
  }
}
