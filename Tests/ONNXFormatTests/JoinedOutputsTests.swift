import RelevanceExecution
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// Detectors with a separate output for the scores of each grid: all of them are explained together.
@Suite struct JoinedOutputsTests {
  /// Scores and boxes for grids of 4 × 4 and 2 × 2 cells, as positions × channels or channels × positions.
  static func model(positionsFirst: Bool = true, sigmoids: Bool = true) -> WireModel {
    var nodes = [
      WireNode(
        op: "MaxPool", inputs: ["x"], outputs: ["p"],
        attributes: [("kernel_shape", .ints([2, 2])), ("strides", .ints([2, 2]))])
    ]
    var model = WireModel(opset: 13)
    for (grid, input, cells) in [("4", "x", 16), ("2", "p", 4)] {
      for (kind, weights, channels) in [("s", "k", 3), ("b", "l", 4)] {
        let name = kind + grid
        nodes.append(WireNode(op: "Conv", inputs: [input, weights], outputs: ["c" + name]))
        let isScore = kind == "s" && sigmoids
        if isScore { nodes.append(WireNode(op: "Sigmoid", inputs: ["c" + name], outputs: ["q" + name])) }
        nodes.append(
          WireNode(
            op: "Reshape", inputs: [(isScore ? "q" : "c") + name, "e\(channels)"],
            outputs: [positionsFirst ? "r" + name : name]))
        if positionsFirst {
          nodes.append(
            WireNode(op: "Transpose", inputs: ["r" + name], outputs: [name], attributes: [("perm", .ints([0, 2, 1]))]))
        }
        model.outputExtents[name] = positionsFirst ? [1, cells, channels] : [1, channels, cells]
      }
    }
    model.nodes = nodes
    model.initializers = [
      .floats("k", [3, 2, 1, 1], [1, -2, 3, -4, 5, 6]), .floats("l", [4, 2, 1, 1], [1, 2, 3, 4, 5, 6, 7, 8]),
      .integers("e3", [1, 3, -1]), .integers("e4", [1, 4, -1]),
    ]
    model.outputs = ["s4", "s2", "b4", "b2"]
    return model
  }

  @Test(arguments: [true, false], [true, false])
  func gridsAreJoined(positionsFirst: Bool, sigmoids: Bool) throws {
    let model = Self.model(positionsFirst: positionsFirst, sigmoids: sigmoids)
    let input = Tensor(shape: [1, 2, 4, 4], elements: (0..<32).map { Float($0 * 7 % 11) / 11 - 0.4 })
    func values(_ output: String?) throws -> Tensor {
      let network = try NeuralNetwork(onnx: model.bytes, output: output)
      return try Executor(network).trace(input).value(of: network.graph.output)
    }
    let network = try NeuralNetwork(onnx: model.bytes)
    #expect(network.graph.outputName == "s4 + s2" && network.graph.explainedOutputs == ["s4", "s2"])
    #expect(network.graph.outputNames == ["s4", "s2", "b4", "b2"])
    let joined = try values(nil)
    #expect(joined.shape == (positionsFirst ? [1, 20, 3] : [1, 3, 20]))
    let (large, small) = (try values("s4"), try values("s2"))
    for channel in 0..<3 {
      for position in 0..<20 {
        let own = position < 16 ? large : small
        let place = position < 16 ? position : position - 16
        let expected = positionsFirst ? own[0, place, channel] : own[0, channel, place]
        #expect((positionsFirst ? joined[0, position, channel] : joined[0, channel, position]) == expected)
      }
    }
    // A requested output is not joined.
    #expect(try NeuralNetwork(onnx: model.bytes, output: "s2").graph.explainedOutputs == ["s2"])
    #expect(try NeuralNetwork(onnx: model.bytes, output: "p").graph.explainedOutputs == [])
    let layout = network.scoreLayout(try network.analysis(forInput: input.shape).inferred)
    #expect(layout.classes == 3 && layout.positions == [20] && layout.isOfCandidates)
  }

  /// Outputs that differ, or that do not declare their extents, are not joined.
  @Test(arguments: ["no extents", "one grid", "other channels", "other operators"]) func othersStayAlone(reason: String)
    throws
  {
    var model = Self.model()
    switch reason {
    case "no extents": model.outputExtents = [:]
    case "one grid": model.outputs = ["s4", "b4", "b2"]
    case "other channels": model.outputs = ["s4", "b2"]
    default:
      model.nodes.append(WireNode(op: "Relu", inputs: ["s2"], outputs: ["z"]))
      model.outputExtents["z"] = [1, 4, 3]
      model.outputs = ["s4", "z"]
    }
    #expect(try NeuralNetwork(onnx: model.bytes).graph.explainedOutputs == ["s4"])
  }

  /// Boxes are not mistaken for scores because they come first, or because they end in a sigmoid as shares of the image
  /// size.
  @Test(arguments: [["b4", "s4"], ["s4", "b4"]], [false, true])
  func boxesAreNotScores(outputs: [String], boxesAreShares: Bool) throws {
    var model = Self.model(sigmoids: false)
    if boxesAreShares { model.nodes.append(WireNode(op: "Sigmoid", inputs: ["b4"], outputs: ["z"])) }
    model.outputExtents["z"] = model.outputExtents["b4"]
    model.outputs = outputs.map { $0 == "b4" && boxesAreShares ? "z" : $0 }
    #expect(try NeuralNetwork(onnx: model.bytes).graph.explainedOutputs == ["s4"])
  }
}
