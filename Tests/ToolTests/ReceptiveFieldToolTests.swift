import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance inspect --receptive-field`.
@Suite struct ReceptiveFieldToolTests {
  private let bench: Workbench
  init() throws { bench = try Workbench() }

  @Test func fieldsAreInWords() throws {
    let outcome = try bench.run(
      "inspect", "model", "--receptive-field", "y", "--receptive-field", "y@0,8", "--receptive-field", "classes")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output == """
        y: 8×9 positions, each with a receptive field of 3×3; stride 1×1, the first starts at -1,-1
        y@4,4: rows 3–5, columns 3–5: 3×3 of 8×9; 9 positions (12.5 %)
        y@0,8: rows 0–1, columns 7–8: 2×2 of 8×9; 4 positions (5.6 %); cut by the border
        classes: rows 0–7, columns 0–8: 8×9 of 8×9; 72 positions (100.0 %); cut by the border

        """)
  }

  @Test func gapsAreReported() throws {
    var builder = GraphBuilder(item: [3, 9, 9])
    builder.add("a@1", try .seededConvolution(inputs: 3, outputs: 2, kernel: [3, 3], dilations: [2, 2], seed: 1))
    builder.add("pool", .mean(axes: [2, 3], keepsAxes: true))
    try ONNXWriter().write(builder.network(), to: bench.path("holes.onnx"))
    // A node with the whole name takes precedence over a position.
    let outcome = try bench.run(
      "inspect", "holes.onnx", "--receptive-field", "a@1@2,3", "--receptive-field", "a@1", "--receptive-field", "pool")
    #expect(outcome.status == 0)
    #expect(
      outcome.output == """
        a@1@2,3: rows 2–6, columns 3–7: 5×5 of 9×9; 9 positions (11.1 %) with gaps between them
        a@1: 5×5 positions, each with a receptive field of 5×5; stride 1×1, the first starts at 0,0
        a@1@2,2: rows 2–6, columns 2–6: 5×5 of 9×9; 9 positions (11.1 %) with gaps between them
        pool@0,0: rows 0–8, columns 0–8: 9×9 of 9×9; 81 positions (100.0 %)

        """)
  }

  @Test func reasonsCanBeRequestedToo() throws {
    let outcome = try bench.run("inspect", "model", "--receptive-field", "y@4,4", "--why", "y")
    #expect(outcome.status == 0)
    #expect(outcome.output.hasPrefix("y@4,4: rows 3–5") && outcome.output.contains("zB"))
  }

  @Test(arguments: [
    ("y@8,0", "y@8,0: the node has no such position; expected row,column from 0,0 to 7,8"),
    ("y@1", "y@1: the node has no such position; expected row,column from 0,0 to 7,8"),
    ("y@1,x", "y@1,x: the network has no such node; relevance inspect lists the nodes"),
    ("y@", "y@: the network has no such node; did you mean y?"),
    ("classes@0,0", "classes@0,0: the node's output 1×288 has no positions; expected classes alone"),
    ("clases", "clases: the network has no such node; did you mean classes?"),
  ]) func wrongArgumentsAreOneLine(argument: String, message: String) throws {
    let outcome = try bench.run("inspect", "model", "--receptive-field", argument)
    #expect(outcome.status == 64 && outcome.output.isEmpty)
    #expect(outcome.errors == "relevance: \(message)\n")
  }
}
