import RelevanceKit
import RelevanceTestSupport
import Testing

/// Logits with other values of a node, compared with whole runs of networks that compute these values.
@Suite struct InterventionTests {
  /// The change to one node of a network of `masked`: its output is multiplied by a constant of zeros and ones in a
  /// whole run.
  private struct Mask {
    let node: String
    let factors: Tensor
  }

  /// A network with special cases of execution: merged rectifiers, rectifiers in place on a sum, parts that are
  /// concatenated where they are computed, a gate on a branch, functions that are applied to a layer tile by tile, and
  /// a flattened view beside its source.
  private static func masked(_ mask: Mask? = nil) throws -> NeuralNetwork {
    let ones = Padding.explicit(before: [1, 1], after: [1, 1])
    var builder = GraphBuilder(item: [3, 8, 8])
    func add(_ name: String, _ operation: any RelevanceKit.Operator, _ operands: Node.ID...) -> Node.ID {
      let id =
        operands.count == 2
        ? builder.add(name, operation, operands[0], operands[1]) : builder.add(name, operation, operands[0])
      guard let mask, mask.node == name else { return id }
      return builder.add("\(name)_masked", .multiply, id, builder.constant("mask", mask.factors))
    }
    func convolution(_ inputs: Int, _ outputs: Int, _ side: Int, seed: UInt64) throws -> Convolution {
      try .seededConvolution(
        inputs: inputs, outputs: outputs, kernel: [side, side], padding: side == 3 ? ones : nil, seed: seed)
    }
    let stem = add("stem", try convolution(3, 4, 3, seed: 1), builder.input)
    let rectified = add("stem_relu", .relu, stem)
    let a = add("a", try convolution(4, 4, 1, seed: 2), rectified)
    let sum = add("sum", .add, a, rectified)
    let sumRectified = add("sum_relu", .relu, sum)
    let b = add("b", try convolution(4, 5, 3, seed: 3), rectified)
    let bend = add("b_tanh", .tanh, b)
    let joined = add("joined", .concat(axis: 1), sumRectified, bend)
    let pooled = add("pooled", .mean(axes: [2, 3], keepsAxes: true), joined)
    let gate = add("gate", .sigmoid, pooled)
    let gated = add("gated", .multiply, joined, gate)
    let flat = add("flat", .flatten(axis: 1), gated)
    let first = add("fc", .seededLinear(inputs: 9 * 64, outputs: 6, seed: 4), flat)
    // The values of `gated` are also read without the gate.
    let c = add("c", try convolution(9, 6, 1, seed: 5), gated)
    let cPooled = add("c_pooled", .mean(axes: [2, 3], keepsAxes: false), c)
    let both = add("both", .add, first, cPooled)
    let bothRectified = add("both_relu", .relu, both)
    _ = add("head", .seededLinear(inputs: 6, outputs: 5, seed: 6), bothRectified)
    return try builder.network()
  }

  /// Names, numbers of channels, and whether they have positions.
  private static let nodes: [(name: String, channels: Int, hasPositions: Bool)] = [
    ("x", 3, true), ("stem", 4, true), ("stem_relu", 4, true), ("a", 4, true), ("sum", 4, true), ("sum_relu", 4, true),
    ("b", 5, true), ("b_tanh", 5, true), ("joined", 9, true), ("pooled", 9, true), ("gate", 9, true),
    ("gated", 9, true),
    ("flat", 576, false), ("fc", 6, false), ("c", 6, true), ("c_pooled", 6, false), ("both", 6, false),
    ("both_relu", 6, false),
  ]

  @Test(arguments: nodes.map(\.name), [1, 3])
  func zeroChannelsAreAMaskInTheNetwork(node: String, batch: Int) throws {
    let (_, count, hasPositions) = try #require(Self.nodes.first { $0.name == node })
    let x = Seeded.tensor([batch, 3, 8, 8], seed: 9)
    let trace = try Explainer(Self.masked()).trace(x)
    let sets = [[], [0], [1, 2], [count - 1, 0], Array(0..<count)]
    let found = try trace.logits(settingToZero: sets, of: node)
    #expect(found.count == sets.count)
    for (set, logits) in zip(sets, found) {
      let factors = (0..<count).map { Float(set.contains($0) ? 0 : 1) }
      let shape: TensorShape = hasPositions ? [1, count, 1, 1] : [1, count]
      let mask = Tensor(shape: shape, elements: factors)
      let expected =
        node == "x"
        ? try trace.explainer.executor.logits(Self.product(x, factors))
        : try Executor(Self.masked(Mask(node: node, factors: mask))).logits(x)
      #expect(logits.shape == trace.logits.shape)
      #expect(logits.largestDifference(from: expected.doubles) <= Tolerance.singlePrecision, "\(node), \(set)")
      if set.isEmpty { #expect(logits.largestDifference(from: trace.logits) <= Tolerance.singlePrecision) }
    }
    #expect(found[4].largestDifference(from: trace.logits) > 1e-3)
  }

  /// An input with its channels multiplied by factors.
  private static func product(_ x: Tensor, _ factors: [Float]) -> Tensor {
    Tensor(shape: x.shape, elements: x.elements.enumerated().map { $1 * factors[$0 / 64 % 3] })
  }

  /// A node on all paths determines the logits: with its values for another input, the logits are those of this input.
  /// Also tested on a transformer.
  @Test(arguments: [
    ("vgg", ["conv3_1", "relu_conv3_1", "pool3", "relu_conv4_2", "fc1", "relu_fc2"]),
    ("googlenet", ["inception_4a_concat", "inception_4b_concat"]),
    ("vit", ["block1_sum2", "block3_sum1", "block4_sum2"]),
  ]) func bottlenecksDecideAlone(network: String, nodes: [String]) throws {
    let model = try Model(contentsOf: Fixtures.path("digits/\(network)"))
    let explainer = try Explainer(model.network, preprocessing: model.preprocessing)
    let inputs = (0..<18).map { Seeded.tensor([1, 3, 64, 64], seed: 20 + $0, low: -1, high: 2) }
    let traces = try inputs.map { try explainer.trace($0) }
    for node in nodes {
      // More variations than one run takes.
      let found = try traces[0].logits(replacing: node, with: traces.map { try $0.activation(at: node) })
      for (logits, trace) in zip(found, traces) {
        #expect(logits.largestDifference(from: trace.logits) <= Tolerance.singlePrecision, "\(node)")
      }
    }
  }

  /// The logits without a branch of a sum, calculated by hand.
  @Test func onlyTheNodeIsReplaced() throws {
    var builder = GraphBuilder(item: [2])
    let left = builder.add("left", .linear(Linear(weight: Tensor(shape: [1, 2], elements: [2, 0]), bias: nil)))
    let right = builder.add(
      "right", .linear(Linear(weight: Tensor(shape: [1, 2], elements: [0, 5]), bias: nil)), builder.input)
    builder.add("sum", .concat(axis: 1), left, right)
    let trace = try Explainer(builder.network()).trace(Tensor(shape: [1, 2], elements: [3, 7]))
    #expect(trace.logits.elements == [6, 35])
    let replaced = try trace.logits(
      replacing: "left", with: [Tensor(shape: [1, 1], elements: [-1]), Tensor(shape: [1, 1], elements: [4])])
    #expect(replaced.map(\.elements) == [[-1, 35], [4, 35]])
    #expect(try trace.logits(replacing: "left", with: []).isEmpty)
    #expect(try trace.logits(settingToZero: [[0]], of: "right")[0].elements == [6, 0])
  }

  /// Replacement values and activations have the signs of the model file, regardless of signs that a rewrite has moved.
  @Test func valuesHaveTheSignsOfTheFile() throws {
    var builder = GraphBuilder(item: [3, 6, 6])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    let constant = builder.constant("factors", Tensor(shape: [1, 4, 1, 1], elements: [-1, 2, -3, 4]))
    builder.add("scale", .multiply, Node.ID(1), constant)
    builder.add("relu", .relu)
    builder.add("gap", .mean(axes: [2, 3], keepsAxes: false))
    builder.add("fc", .seededLinear(inputs: 4, outputs: 3, seed: 2))
    let explainer = try Explainer(builder.network())
    let (trace, other) = (
      try explainer.trace(Seeded.tensor([1, 3, 6, 6], seed: 9)),
      try explainer.trace(Seeded.tensor([1, 3, 6, 6], seed: 8))
    )
    #expect(trace.plan.network.graph.nodes.contains { $0.turned != nil })
    for node in ["conv", "scale", "relu"] {
      let found = try trace.logits(replacing: node, with: [other.activation(at: node)])[0]
      #expect(found.largestDifference(from: other.logits) <= Tolerance.singlePrecision, "\(node)")
    }
    let values = try trace.activation(at: "conv")
    for channel in try trace.channels(of: "conv", for: .class(0))[0] {
      let own = values.elements[channel.channel * 16..<(channel.channel + 1) * 16]
      #expect(abs(channel.activation - own.reduce(0) { $0 + Double($1) }) <= 1e-4, "\(channel.channel)")
      #expect(channel.peakActivation == own.max())
    }
  }

  @Test func impossibleInterventionsAreErrors() throws {
    let trace = try Explainer(Self.masked()).trace(Seeded.tensor([1, 3, 8, 8], seed: 9))
    func refusal(_ body: () throws -> Void) -> String {
      (#expect(throws: (any Error).self) { try body() } as? any RelevanceKitError)?.description
        ?? "no RelevanceKitError"
    }
    #expect(refusal { _ = try trace.logits(settingToZero: [[0]], of: "stem_rely") }.contains("did you mean stem_relu"))
    #expect(
      refusal { _ = try trace.logits(settingToZero: [[0], [2, 4]], of: "a") }
        == "node a has no channel 4; expected 0 to 3")
    #expect(
      refusal { _ = try trace.logits(settingToZero: [[0]], of: "head") }
        == "the logits, which node head computes, do not depend on node head; expected a node between the input and "
        + "the logits"
    )
    #expect(
      refusal { _ = try trace.logits(replacing: "a", with: [Tensor(shape: [1, 4, 8, 7])]) }
        == "the replacement values of node a have shape 1×4×8×7; expected 1×4×8×8, the shape of its output")
    #expect(
      refusal { _ = try trace.logits(replacing: "fc", with: [Tensor(shape: [1, 6], repeating: .nan)]) }
        == "the replacement values of node fc are NaN or infinite; expected finite values")
    let huge = Tensor(shape: [1, 6], repeating: .greatestFiniteMagnitude)
    #expect(refusal { _ = try trace.logits(replacing: "both_relu", with: [huge]) }.contains("head"))
  }
}
