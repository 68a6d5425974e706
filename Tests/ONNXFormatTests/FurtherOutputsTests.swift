import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Outputs beside the explained one: their units are targets, with the same results as in a network that ends there.
@Suite struct FurtherOutputsTests {
  private static let input = Tensor(shape: [1, 2, 4, 4], elements: (0..<32).map { Float($0 * 7 % 11) / 11 - 0.4 })

  private static func trace(_ network: NeuralNetwork) throws -> Trace {
    try Explainer(network, rules: .epsilonPlus).trace(input)
  }

  /// Scores and boxes of two grids. The channel axis is found in both orders of the axes.
  @Test(arguments: [true, false]) func unitsOfOtherOutputs(positionsFirst: Bool) throws {
    let model = JoinedOutputsTests.model(positionsFirst: positionsFirst)
    let network = try NeuralNetwork(onnx: model.bytes, furtherOutputs: ["b2", "b4"])
    #expect(network.graph.explainedOutputs == ["s4", "s2"])
    let trace = try Self.trace(network)
    for (output, channel, position) in [("b4", 1, 13), ("b2", 3, 2), ("s4", 2, 7), ("s2", 0, 3)] {
      let alone = try NeuralNetwork(onnx: model.bytes, output: output)
      let values = try Executor(alone).trace(Self.input).value(of: alone.graph.output)
      let found = try trace.explain(.unit(node: output, channel: channel, position: [position]))
      let expected = positionsFirst ? values[0, position, channel] : values[0, channel, position]
      // Scores end in a sigmoid, after their logits.
      let value = output.hasPrefix("s") ? 1 / (1 + exp(-found.score)) : found.score
      #expect(abs(value - expected) < 1e-6, "\(output)")
      let other = try Self.trace(alone).explain(.unit(node: output, channel: channel, position: [position]))
      #expect(other.score == found.score)
      #expect(found.relevance.relativeDistance(from: other.relevance) <= Tolerance.sameMap)
      #expect(found.relevance.largestMagnitude() > 0)
    }
    // The whole channel.
    let sum = try trace.explain(.unit(node: "b2", channel: 3)).score
    let parts = try (0..<4).map { try trace.explain(.unit(node: "b2", channel: 3, position: [$0])).score }
    #expect(abs(sum - parts.reduce(0, +)) < 1e-5)
    let error = #expect(throws: (any Error).self) { try trace.explain(.unit(node: "b4", channel: 4)) }
    #expect(
      (error as? any RelevanceKitError)?.description
        == "node b4 has no channel 4: its output has shape \(positionsFirst ? "1×16×4" : "1×4×16")")
  }

  /// Boxes that are separate outputs match the scores' positions, grid after grid.
  @Test(arguments: [true, false]) func boxesBesideScores(positionsFirst: Bool) throws {
    let model = JoinedOutputsTests.model(positionsFirst: positionsFirst)
    let trace = try Self.trace(NeuralNetwork(onnx: model.bytes, furtherOutputs: ["b2", "b4"]))
    for box in try trace.boxes(ofItem: 0) {
      let (output, place) = box.place < 16 ? ("b4", box.place) : ("b2", box.place - 16)
      let numbers = try (0..<4).map { try trace.explain(.unit(node: output, channel: $0, position: [place])).score }
      #expect(box.box == numbers)
    }
    // Unless all of them are outputs, there are no boxes, and the scores are the same.
    for further in [[], ["b4"]] {
      let other = try Self.trace(NeuralNetwork(onnx: model.bytes, furtherOutputs: further))
      let boxes = try other.boxes(ofItem: 0)
      #expect(boxes.allSatisfy { $0.box == nil })
      #expect(boxes.map(\.confidence) == (try trace.boxes(ofItem: 0)).map(\.confidence))
    }
  }

  /// Outputs that rewrites would merge or negate are kept as in the file: a product before its sum, and a convolution
  /// before a negative scale.
  @Test func outputsInsideOfTheNetwork() throws {
    var model = WireModel(opset: 13)
    model.nodes = [
      WireNode(op: "Conv", inputs: ["x", "k"], outputs: ["c"], name: "conv"),
      WireNode(op: "Mul", inputs: ["c", "m"], outputs: ["p"], name: "mul"),
      WireNode(op: "Add", inputs: ["p", "a"], outputs: ["s"], name: "add"),
      WireNode(op: "Relu", inputs: ["s"], outputs: ["r"], name: "relu"),
      WireNode(op: "GlobalAveragePool", inputs: ["r"], outputs: ["g"], name: "pool"),
      WireNode(op: "Flatten", inputs: ["g"], outputs: ["y"], name: "flatten"),
    ]
    model.initializers = [
      .floats("k", [3, 2, 1, 1], [1, -2, 3, -4, 5, 6]), .floats("m", [1, 3, 1, 1], [-1, 2, -3]),
      .floats("a", [1, 3, 1, 1], [0.5, 1, 0.25]),
    ]
    model.outputs = ["y", "p", "c"]
    let network = try NeuralNetwork(onnx: model.bytes, output: "y", furtherOutputs: ["p", "c"])
    let trace = try Self.trace(network)
    for output in ["p", "c"] {
      let alone = try NeuralNetwork(onnx: model.bytes, output: output)
      let values = try Executor(alone).trace(Self.input).value(of: alone.graph.output)
      for channel in 0..<3 {
        let found = try trace.explain(.unit(node: output, channel: channel, position: [2, 1]), by: .gradientTimesInput)
        #expect(abs(found.score - values[0, channel, 2, 1]) <= 1e-6, "\(output) \(channel)")
        // There are no biases before them.
        #expect(abs(Float(found.relevance.sum()) - found.score) <= 1e-5)
      }
    }
    // The logits are the same as without these outputs.
    let plain = try Self.trace(NeuralNetwork(onnx: model.bytes, output: "y"))
    #expect(plain.logits == trace.logits)
    let (a, b) = (try plain.explain(.class(1)), try trace.explain(.class(1)))
    #expect(a.relevance.relativeDistance(from: b.relevance) <= Tolerance.map)
  }

  @Test func missingOutputs() throws {
    let model = JoinedOutputsTests.model()
    let error = #expect(throws: (any Error).self) { try NeuralNetwork(onnx: model.bytes, furtherOutputs: ["b5"]) }
    #expect((error as? any RelevanceKitError)?.description.contains("b5") == true)
    let trace = try Self.trace(NeuralNetwork(onnx: model.bytes))
    let other = #expect(throws: (any Error).self) { try trace.explain(.unit(node: "b4", channel: 0)) }
    // The node that computes it is also removed.
    #expect(
      (other as? any RelevanceKitError)?.description
        == "b4: this output of the file was not read; expected its name in furtherOutputs")
  }
}
