import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// The cosine between an embedding and a reference as a target, compared with its definition in `Double`.
@Suite struct CosineTests {
  private static let (inputs, hidden, outputs) = (6, 8, 5)

  /// Two layers with a rectifier between them.
  private static func network(bias: Bool) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [inputs])
    builder.add("first", .seededLinear(inputs: inputs, outputs: hidden, bias: bias, seed: 1))
    builder.add("relu", .relu)
    builder.add("second", .seededLinear(inputs: hidden, outputs: outputs, bias: bias, seed: 2))
    return try builder.network()
  }

  /// The network's output according to its definition.
  private static func output(_ x: [Double], bias: Bool) -> [Double] {
    func layer(_ x: [Double], _ outputs: Int, _ seed: UInt64) -> [Double] {
      let weight = Seeded.tensor([outputs, x.count], seed: seed).elements.map(Double.init)
      let bias = bias ? Seeded.tensor([outputs], seed: seed + 1000).elements.map(Double.init) : nil
      return (0..<outputs).map { row -> Double in
        var sum = bias?[row] ?? 0
        for column in x.indices { sum += weight[row * x.count + column] * x[column] }
        return sum
      }
    }
    return layer(layer(x, hidden, 1).map { max($0, 0) }, outputs, 2)
  }

  private static func cosine(_ u: [Double], _ r: [Double]) -> Double {
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    return dot(u, r) / (dot(u, u) * dot(r, r)).squareRoot()
  }

  private static let batch = Seeded.tensor([2, 6], seed: 3, low: 0.2, high: 1)
  private static let reference = Seeded.tensor([5], seed: 4)
  private static let target = Target.cosine(Reference(reference, name: "other.npy"))
  private static let table = RuleTable(name: "z") {
    RuleTable.Row(.operators(.gemm), ZRule())
    RuleTable.default(pixelRange: nil)
  }

  private static func trace(bias: Bool) throws -> Trace {
    try Explainer(network(bias: bias), rules: table).trace(batch)
  }

  /// Without biases, the map of z rules adds up to the cosine.
  @Test func sums() throws {
    let found = try Self.trace(bias: false).explain(Self.target)
    #expect(found.quantity == "cosine")
    for item in 0..<2 {
      let x = Self.batch.item(item).elements.map(Double.init)
      let expected = Self.cosine(Self.output(x, bias: false), Self.reference.elements.map(Double.init))
      #expect(abs(Double(found.scores[item]) - expected) < 1e-6)
      #expect(abs(found.signedRelevance.item(item).sum() - expected) < 1e-5)
    }
  }

  /// Each unit starts with u_i r_i / (|u| |r|): the map is the sum of the units' maps, each multiplied by this value
  /// and divided by the unit's activation.
  @Test func unitsStartWithTheirContributions() throws {
    let trace = try Self.trace(bias: true)
    let found = try trace.explain(Self.target)
    let reference = Self.reference.elements.map(Double.init)
    for item in 0..<2 {
      let u = Self.output(Self.batch.item(item).elements.map(Double.init), bias: true)
      let length = { (v: [Double]) in v.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      var expected = Tensor(shape: [Self.inputs])
      for unit in 0..<Self.outputs {
        let map = try trace.explain(.unit(node: "second", channel: unit)).signedRelevance.item(item)
        let part = Float(reference[unit] / (length(u) * length(reference)))
        expected = expected.combined(with: map.reshaped(to: [Self.inputs])) { $0 + part * $1 }
      }
      let own = found.signedRelevance.item(item).reshaped(to: [Self.inputs])
      #expect(own.relativeDistance(from: expected) < 1e-5)
    }
  }

  /// The gradient equals that of the cosine by finite differences.
  @Test func derivatives() throws {
    let found = try Self.trace(bias: true).explain(Self.target, by: .gradient).signedRelevance
    let reference = Self.reference.elements.map(Double.init)
    for item in 0..<2 {
      let x = Self.batch.item(item).elements.map(Double.init)
      for index in 0..<Self.inputs {
        func value(_ step: Double) -> Double {
          var moved = x
          moved[index] += step
          return Self.cosine(Self.output(moved, bias: true), reference)
        }
        let expected = (value(1e-5) - value(-1e-5)) / 2e-5
        #expect(abs(Double(found[item, index]) - expected) < 1e-5)
      }
    }
  }

  /// Integrated gradients add up to the difference of two cosines.
  @Test func integratedGradients() throws {
    let found = try Self.trace(bias: true).explain(Self.target, by: IntegratedGradients(steps: 400))
    let errors = try #require(found.completenessErrors)
    #expect(errors.allSatisfy { abs($0) < 2e-2 })
  }

  @Test func impossibleCosines() throws {
    let trace = try Self.trace(bias: true)
    for (target, method, sentence) in [
      (
        Target.cosine(Reference(Tensor(shape: [2, 3], repeating: 1), name: "r.npy")), .lrp,
        "cosine:r.npy: the reference has 6 elements; expected 5, as in each item of the output, whose shape is 2×5"
      ),
      (
        .cosine(Reference(Tensor(shape: [5]), name: "r.npy")), .lrp,
        "cosine:r.npy: the reference has no direction: all its elements are 0, or some are not finite"
      ),
      (
        Self.target, .clrp1,
        "clrp1 contrasts a class or a unit with its opposite, but a cosine has no opposite; expected lrp or another "
          + "method without a contrast"
      ),
      (
        Self.target, .clrp2,
        "clrp2 contrasts a class or a unit with its opposite, but a cosine has no opposite; expected lrp or another "
          + "method without a contrast"
      ),
    ] as [(Target, any AttributionMethod, String)] {
      let error = #expect(throws: ExplanationError.self) { try trace.explain(target, by: method) }
      #expect(error?.description == sentence)
    }
  }

  @Test func encodings() throws {
    let explanation = try Self.trace(bias: true).explain(Self.target)
    let copy = try JSONDecoder().decode(Explanation.self, from: JSONEncoder().encode(explanation))
    #expect(copy.target == Self.target && Self.target.description == "cosine:other.npy")
    #expect(Target("cosine:other.npy") == nil)
  }
}
