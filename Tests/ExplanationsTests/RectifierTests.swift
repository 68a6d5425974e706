import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Guided backpropagation and DeconvNet at rectifiers in all forms, compared with Captum (see
/// `Tools/reference/writers/write_activation_cases.py`), and the warning for networks with other activations.
@Suite struct RectifierTests {
  /// The network of the script: two convolutions, each followed by an activation, and a layer over all positions or
  /// over their means.
  static func network(averages: Bool = false, _ activation: (inout GraphBuilder, Node.ID, String) -> Node.ID) throws
    -> NeuralNetwork
  {
    var builder = GraphBuilder(item: [3, 8, 8])
    var id = builder.input
    for (seed, inputs) in [(UInt64(1), 3), (2, 4)] {
      let conv = builder.add(
        "conv\(seed)",
        try .seededConvolution(
          inputs: inputs, outputs: 4, kernel: [3, 3], padding: .explicit(before: [1, 1], after: [1, 1]), seed: seed), id
      )
      id = activation(&builder, conv, "act\(seed)")
    }
    let rows: any RelevanceKit.Operator = averages ? .mean(axes: [2, 3], keepsAxes: false) : Flatten(axis: 1)
    builder.add("rows", rows, id)
    builder.add("fc", .seededLinear(inputs: averages ? 4 : 256, outputs: 3, seed: 3))
    return try builder.network()
  }

  static func trace(_ network: NeuralNetwork) throws -> Trace {
    try Explainer(network, rules: .gradient()).trace(Seeded.tensor([1, 3, 8, 8], seed: 9))
  }

  static func expectLogits(_ trace: Trace, _ name: String) throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("cases/activations/logits.json")))
    let expected = try #require(try JSONDecoder().decode([String: [Double]].self, from: data)[name])
    #expect(trace.logits.largestDifference(from: expected) <= Tolerance.logits)
  }

  private static let zero = Tensor(shape: [1])
  /// Forms of `max(x, 0)` and `min(max(x, 0), 2)`.
  private static let spellings: [(name: String, @Sendable (inout GraphBuilder, Node.ID, String) -> Node.ID)] = [
    ("relu", { $0.add($2, .relu, $1) }),
    ("relu", { $0.add($2, .clip(lowest: 0, highest: .greatestFiniteMagnitude), $1) }),
    ("relu", { $0.add($2, .maximum, $1, $0.constant($2 + "0", zero)) }),
    ("relu", { $0.add($2, .maximum, $0.constant($2 + "0", Tensor(shape: [1, 4, 1, 1])), $1) }),
    ("relu", { $0.add($2, .leakyRelu(alpha: 0), $1) }),
    ("relu", { $0.add($2, .elu(alpha: 0), $1) }),
    ("relu", { $0.add($2, .parametricRelu(slope: Tensor(shape: [4, 1, 1])), $1) }),
    ("capped2", { $0.add($2, .clip(lowest: 0, highest: 2), $1) }),
    (
      "capped2",
      {
        let rectified = $0.add($2, .relu, $1)
        return $0.add($2 + "cap", .minimum, rectified, $0.constant($2 + "2", Tensor(shape: [1], repeating: 2)))
      }
    ),
    (
      "capped2",
      {
        let capped = $0.add($2 + "cap", .minimum, $1, $0.constant($2 + "2", Tensor(shape: [1], repeating: 2)))
        return $0.add($2, .maximum, $0.constant($2 + "0", zero), capped)
      }
    ),
  ]

  @Test(arguments: 0..<10) func captum(index: Int) throws {
    let (name, activation) = Self.spellings[index]
    let trace = try Self.trace(Self.network(activation))
    try Self.expectLogits(trace, name)
    for (method, file) in [(.guidedBackprop, "guided"), (.deconvNet, "deconvolution")]
      as [(any AttributionMethod, String)]
    {
      let expected = try Fixtures.tensor("cases/activations/\(name).\(file).npy")
      let found = try trace.explain(.class(1), by: method).relevance
      #expect(found.relativeDistance(from: expected) <= 1e-5, "\(method)")
      #expect(method.warnings(under: trace.plan).isEmpty)
      // The map differs from the gradient.
      let gradient = try trace.explain(.class(1), by: .gradient).relevance
      #expect(gradient.relativeDistance(from: expected) > 0.1)
    }
    // Maps of several targets and items match the single ones.
    let both = try Explainer(Self.network(activation), rules: .gradient()).trace(
      Tensor(joining: [trace.input, trace.input.map { -$0 }]))
    let alone = try trace.explain(.class(2), by: .guidedBackprop).relevance
    let found = try both.explain([.class(1), .class(2)], by: .guidedBackprop)[1].relevance
    #expect(found.item(0).relativeDistance(from: alone) <= 1e-5)
  }

  /// Activations that Captum does not modify keep their gradient, and a warning states this.
  @Test(
    arguments: [
      .leakyRelu(alpha: 0.1), .elu(alpha: 1), .gelu(approximate: false), .mish,
      .hardSwish, .softplus, .sigmoid, .clip(lowest: -1, highest: 1),
      .parametricRelu(slope: Tensor(shape: [1], repeating: 0.2)),
    ] as [any RelevanceKit.Operator]) func otherActivations(activation: any RelevanceKit.Operator) throws
  {
    let trace = try Self.trace(Self.network { $0.add($2, activation, $1) })
    let kind = activation.kind
    let gradient = try trace.explain(.class(1), by: .gradient).relevance
    for method in [.guidedBackprop, .deconvNet, .guidedGradCAM] as [any AttributionMethod] {
      #expect(
        method.warnings(under: trace.plan) == [
          "\(method.name) modifies the gradient at rectifiers only, and the network has no rectifier, but 2 "
            + "activations of other kinds, the first of them act1 (\(kind)), so the maps equal those of the plain "
            + "gradient; use gradient-x-input, or relevance such as lrp"
        ])
    }
    #expect(try trace.explain(.class(1), by: .guidedBackprop).relevance == gradient)
    #expect(VanillaGradient().warnings(under: trace.plan).isEmpty)
    // In addition to a rectifier.
    let mixed = try Self.trace(Self.network { $0.add($2, $2 == "act1" ? .relu : activation, $1) })
    #expect(
      GuidedBackprop().warnings(under: mixed.plan) == [
        "guided-backprop modifies the gradient at rectifiers only, and the network has 1 activation of another kind, "
          + "act2 (\(kind)); other activations keep their derivative and pass negative values; use gradient-x-input, "
          + "or relevance such as lrp"
      ])
    let none = try Self.trace(Self.network { $0.add($2, .negate, $1) })
    #expect(
      DeconvNet().warnings(under: none.plan) == [
        "deconvnet modifies the gradient at rectifiers only, and the network has no rectifier, so the maps equal those "
          + "of the plain gradient; use gradient-x-input, or relevance such as lrp"
      ])
  }
}
