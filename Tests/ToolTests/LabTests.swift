import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// `relevance lab` on the command line.
@Suite struct LabTests {
  /// The numbers were computed from the definitions with a dense matrix in NumPy.
  @Test func printsATable() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "lab", "model", "input.npy", "--layer", "y", "--target", "label:coffee mug", "--rule", "zB", "--rule", "z",
      "--rule", "epsilon:e=0.01..1x3")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output == """
        input.npy: y (Conv), input x 1×3×8×9, relevance of class:5 (coffee mug)
        RULE                        IN     OUT    BIAS  STABILIZER  NEGATIVE   GINI  DISTANCE  COSINE   STEP
        zB                      1.3985  1.3985  0.0000      0.0000     0.0 %  0.962         –       –      –
        z                       1.3985  0.6725  0.7260      0.0000    41.3 %  0.956     2.000   0.629  2.000
        epsilon(epsilon: 0.01)  1.3985  0.6677  0.7209      0.0099    41.3 %  0.956     1.983   0.629  0.007
        epsilon(epsilon: 0.1)   1.3985  0.6276  0.6776      0.0933    41.3 %  0.956     1.849   0.629  0.060
        epsilon(epsilon: 1)     1.3985  0.3921  0.4233      0.5831    41.3 %  0.956     1.124   0.629  0.375

        """)
    #expect(bench.contents(of: ".").filter { $0.hasPrefix("lab") }.isEmpty)
  }

  @Test func oneRuleNeedsNoComparison() throws {
    let outcome = try Workbench().run(
      "lab", "bare.onnx", "input.npy", "--layer", "y", "--rule", "flat", "--seed", "unit:2@3,4")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      outcome.output == """
        input.npy: y (Conv), input x 1×3×8×9, relevance of unit:2@3,4
        RULE      IN     OUT  NEGATIVE   GINI
        flat  2.8108  2.8108     0.0 %  0.875

        """)
  }

  /// Each file contains the result of the library.
  @Test func savesTableTensorsAndFigure() throws {
    let bench = try Workbench()
    let outcome = try bench.run(
      "lab", "bare.onnx", "input.npy", "--layer", "y", "--seed", "channel:1", "--rule", "zPlus", "--rule",
      "alphaBeta:a=2..3x2", "--output", "a/b")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(
      bench.contents(of: "a/b") == [
        "01-zPlus.npy", "02-alphaBeta-alpha-2-beta-1.npy", "03-alphaBeta-alpha-3-beta-2.npy", "lab.csv", "lab.png",
      ])
    let explainer = try Explainer(
      NeuralNetwork(contentsOf: bench.path("bare.onnx")), rules: .default(pixelRange: .imageNet))
    let lab = RuleLab(try explainer.trace(NumPyFile.read(bench.path("input.npy"))))
    let expected = try lab.experiment(
      [ZPlusRule(), AlphaBetaRule(), AlphaBetaRule(alpha: 3, beta: 2)], at: "y", seed: .channel(1))
    let lines = try String(contentsOfFile: bench.path("a/b/lab.csv"), encoding: .utf8).split(separator: "\n")
    #expect(
      lines[0]
        == "rule,relevance_in,relevance_out,lost_bias,lost_stabilizer,lost_zero_denominator,lost_not_conserved,lost_decision,lost_rounding,"
        + "sum,negative_share,gini,distance_from_first,cosine_to_first,distance_from_previous,file")
    #expect(lines.count == 4)
    for (index, (line, one)) in zip(lines.dropFirst(), expected).enumerated() {
      let file = bench.contents(of: "a/b")[index]
      #expect(try NumPyFile.read(bench.path("a/b/\(file)")) == one.relevance.reshaped(to: [3, 8, 9]))
      #expect(line.hasPrefix("\"\(one.rule)\",\(one.ledger.relevanceIn),\(one.ledger.relevanceOut),"))
      let difference = one.compared(with: expected[0])
      let step = one.compared(with: expected[max(index, 1) - 1])
      #expect(
        line.hasSuffix(
          ",\(one.sum),\(one.negativeShare),\(one.giniCoefficient),"
            + (index == 0 ? ",,," : "\(difference.distance),\(difference.cosine),\(step.distance),") + file))
    }
    // Three maps of 9 × 8 positions side by side, enlarged 19 times (20 times exceeds 176 pixels).
    let figure = try RGBImage(contentsOf: bench.path("a/b/lab.png"))
    let scale = try HeatmapScale.common(expected.map(\.relevance))
    let places = try expected.map { one in
      try #require(Self.place(of: Heatmap(one.relevance, scale: scale).image(pixelsPerPosition: 19), in: figure))
    }
    #expect(places[0].x < places[1].x && places[1].x < places[2].x && Set(places.map(\.y)).count == 1)
    #expect(
      outcome.output.hasSuffix(
        """
        a/b/lab.csv: the table
        a/b/01-zPlus.npy etc.: relevance of x
        a/b/lab.png: 3 maps in the order of the table, summed over channels; red supports, \
        blue contradicts, full color at \(String(format: "%.4g", scale.limit(of: [])))

        """))
  }

  @Test(arguments: [
    (["--save", "csv"], "lab", ["lab.csv"]), (["--save", "png,npy"], "lab", ["01-z.npy", "lab.png"]),
    (["--save", "npy", "--output", "out"], "out", ["01-z.npy"]),
  ])
  func savesRequestedFiles(options: [String], folder: String, files: [String]) throws {
    let bench = try Workbench()
    let outcome = try bench.run(["lab", "model", "input.npy", "--layer", "y", "--rule", "z"] + options)
    #expect(outcome.status == 0)
    #expect(bench.contents(of: folder) == files)
  }

  /// The upper left corner of an image within another.
  private static func place(of part: RGBImage, in image: RGBImage) -> (x: Int, y: Int)? {
    for y in 0...max(image.height - part.height, 0) {
      for x in 0...max(image.width - part.width, 0) where image.width >= part.width && image.height >= part.height {
        let isHere = (0..<part.height).allSatisfy { row in
          (0..<part.width).allSatisfy { part[$0, row] == image[x + $0, y + row] }
        }
        if isHere { return (x, y) }
      }
    }
    return nil
  }

  /// Channels without positions are drawn as rows.
  @Test func fullyConnectedLayers() throws {
    let bench = try Workbench()
    var image = GraphBuilder(item: [5, 1, 1])
    image.add("flatten", .flatten(axis: 1))
    image.add("hidden", .seededLinear(inputs: 5, outputs: 4, seed: 1))
    image.add("relu", .relu)
    image.add("head", .seededLinear(inputs: 4, outputs: 3, seed: 2))
    try ONNXWriter().write(image.network(), to: bench.path("flat.onnx"))
    try NumPyFile.write(Seeded.tensor([5, 1, 1], seed: 3), to: bench.path("flat.npy"))
    try bench.write("name: z\nrules: [{op: Gemm, rule: z}, {op: Relu, rule: pass}]", to: "z.yaml")
    let outcome = try bench.run(
      "lab", "flat.onnx", "flat.npy", "--layer", "hidden", "--rule", "z", "--seed", "unit:1", "--rules", "z.yaml",
      "--output", "out")
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    #expect(outcome.output.hasPrefix("flat.npy: hidden (Gemm), input flatten 1×5, relevance of unit:1\n"))
    #expect(try NumPyFile.read(bench.path("out/01-z.npy")).shape == [5])
    let figure = try RGBImage(contentsOf: bench.path("out/lab.png"))
    // A rectangle of 3 × 2 values, enlarged 58 times.
    let values = try NumPyFile.read(bench.path("out/01-z.npy"))
    let plane = Tensor(shape: [2, 3], elements: values.elements + [0])
    let colors = HeatmapColors(for: [plane], limit: try Heatmap(plane).limit)
    let map = try Heatmap(plane, scale: .common([plane]), colors: colors).image(pixelsPerPosition: 58)
    #expect(Self.place(of: map, in: figure) != nil)
  }

  @Test func printsWhereAChannelIsLargest() throws {
    let bench = try Workbench()
    let values = try Executor(NeuralNetwork(contentsOf: bench.path("bare.onnx"))).logits(
      NumPyFile.read(bench.path("input.npy")))
    let plane = values.elements[144..<216]
    let largest = try #require(plane.indices.max { plane[$0] < plane[$1] }) - 144
    let outcome = try bench.run("lab", "model", "input.npy", "--layer", "y", "--rule", "z", "--seed", "unit:2")
    #expect(
      outcome.output.hasPrefix(
        "input.npy: y (Conv), input x 1×3×8×9, relevance of unit:2@\(largest / 9),\(largest % 9)\n"))
  }

  /// No relevance reaches the layer if the input is zero and no layer has a bias.
  @Test func notesThatNoRelevanceArrives() throws {
    let bench = try Workbench()
    var builder = GraphBuilder(item: [3, 8, 9])
    builder.add("y", try .seededConvolution(inputs: 3, outputs: 2, kernel: [3, 3], bias: false, seed: 1))
    try ONNXWriter().write(builder.network(), to: bench.path("zero.onnx"))
    try NumPyFile.write(Tensor(shape: [3, 8, 9]), to: bench.path("zero.npy"))
    let outcome = try bench.run("lab", "zero.onnx", "zero.npy", "--layer", "y", "--rule", "z", "--seed", "channel:1")
    #expect(outcome.status == 0)
    #expect(outcome.errorLines == ["note: no relevance reaches y"])
  }
}
