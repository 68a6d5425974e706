import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Single layers, against Zennit's rules in `Fixtures/rules`.
@Suite struct ZennitRuleTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    struct Place: Decodable, Sendable {
      let shape: [Int]
      let offset: Int
    }
    struct Attributes: Decodable, Sendable {
      let kernelShape, strides, pads, dilations, outputPadding: [Int]?
      let group, ceilMode, countIncludePad: Int?
    }
    struct Parameters: Decodable, Sendable {
      let epsilon, gamma, alpha, beta, stabilizer: Float?
      let zeroParams: [String]?
    }
    let name, `operator`, rule: String
    let attributes: Attributes
    let parameters: Parameters
    let input, relevance, expected: Place
    let weight, bias, low, high, other, expectedOther: Place?

    var testDescription: String { name }
  }

  private struct File: Decodable { let cases: [Case] }

  static let cases: [Case] = {
    let data = try? Fixtures.data("rules/cases.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return data.flatMap { try? decoder.decode(File.self, from: $0).cases } ?? []
  }()

  private static let bytes = try? Fixtures.data("rules/cases.bin")

  /// The two differ on purpose in some cases: Zennit adds a stabilizer to every denominator, and to averages after a
  /// division that counts padding. Here only ε has a stabilizer, and padding receives no share.
  static let comparable = cases.filter {
    if $0.operator == "AveragePool" { return $0.attributes.countIncludePad != 1 }
    return $0.rule == "Epsilon" || ($0.parameters.stabilizer ?? 1e-6) == 1e-6
  }

  @Test func allCasesAreThere() {
    #expect(Self.cases.count == 82)
    #expect(Self.comparable.count >= 60)
    #expect(Set(Self.comparable.map(\.rule)) == Set(Self.cases.map(\.rule)))
    #expect(Set(Self.comparable.map(\.operator)) == Set(Self.cases.map(\.operator)))
  }

  @Test(arguments: comparable) func sameRelevance(test: Case) throws {
    var builder = GraphBuilder(item: Array(test.input.shape.dropFirst()))
    var table = RuleTable.of(.init(RuleTable.Selector(), try rule(of: test)))
    if let low = test.low, let high = test.high {
      table = table.with(pixelRange: PixelRange(lower: tensor(low).elements, upper: tensor(high).elements))
    }
    if let other = test.other {
      // The other summand is computed from the input: one number of each per element.
      let (x, y) = (tensor(test.input), tensor(other))
      let ratio = x.combined(with: y) { $1 / $0 }
      let scaled = builder.add("scaled", .multiply, builder.input, builder.constant("ratio", ratio))
      builder.add("layer", .add, builder.input, scaled)
      let rows: [RuleTable.Row] = [.init(.operators(.mul), PassRule()), .init(.operators(.add), ShareBySummandRule())]
      table = RuleTable(name: "test", rows: rows)
    } else {
      builder.add("layer", try operation(of: test))
    }
    let walk = try Walk(builder.network(), table, tensor(test.input))
    var expected = tensor(test.expected)
    if let other = test.expectedOther { expected = expected.combined(with: tensor(other), +) }
    let found = walk.relevance(from: "layer", tensor(test.relevance))
    // The stabilizers, 1e-6 there and 1e-9 here, make a difference where a denominator is small.
    #expect(found.relativeDistance(from: expected) <= Tolerance.map)
  }

  private func rule(of test: Case) throws -> any Rule {
    let parameters = test.parameters
    let bias: BiasTreatment = parameters.zeroParams == ["bias"] ? .bypassed : .absorbed
    switch test.rule {
    case "Epsilon": return EpsilonRule(epsilon: try #require(parameters.epsilon), bias: bias)
    case "Gamma": return GeneralizedGammaRule(gamma: try #require(parameters.gamma), bias: bias)
    case "ZPlus": return ZPlusRule(bias: bias)
    case "AlphaBeta":
      return AlphaBetaRule(alpha: try #require(parameters.alpha), beta: try #require(parameters.beta), bias: bias)
    case "WSquare": return WSquareRule(bias: bias)
    case "Flat": return FlatRule()
    case "ZBox": return ZBoxRule()
    case "Norm": return EpsilonRule(epsilon: try #require(parameters.stabilizer))
    default: throw Unknown(what: test.rule)
    }
  }

  private func operation(of test: Case) throws -> any RelevanceKit.Operator {
    let attributes = test.attributes
    func window() throws -> Window {
      let pads = attributes.pads ?? [0, 0, 0, 0]
      return try Window(
        kernel: #require(attributes.kernelShape), strides: attributes.strides, dilations: attributes.dilations,
        padding: .explicit(before: Array(pads.prefix(2)), after: Array(pads.suffix(2))),
        ceilMode: attributes.ceilMode == 1)
    }
    let bias = test.bias.map(tensor)
    switch test.operator {
    case "Conv":
      return .convolution(
        Convolution(
          weight: tensor(try #require(test.weight)), bias: bias, window: try window(), groups: attributes.group ?? 1))
    case "ConvTranspose":
      return .transposedConvolution(
        TransposedConvolution(
          weight: tensor(try #require(test.weight)), bias: bias, window: try window(),
          outputPadding: attributes.outputPadding ?? [0, 0], groups: attributes.group ?? 1))
    case "Gemm": return .linear(Linear(weight: tensor(try #require(test.weight)), bias: bias))
    case "AveragePool":
      return .averagePool(AveragePool(window: try window(), countsPadding: attributes.countIncludePad == 1))
    default: throw Unknown(what: test.operator)
    }
  }

  private struct Unknown: Error { let what: String }

  private func tensor(_ place: Case.Place) -> Tensor {
    let shape = TensorShape(place.shape)
    return Tensor(uninitialized: shape) { elements in
      _ = Self.bytes?.copyBytes(
        to: UnsafeMutableRawBufferPointer(elements), from: place.offset..<place.offset + 4 * shape.count)
    }
  }
}
