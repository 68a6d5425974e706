import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks that compute probabilities in different ways: the logits are found, and the probabilities equal the
/// outputs.
@Suite struct EndingTests {
  /// The operators after the logits.
  enum Ending: String, CaseIterable, Sendable {
    case softmax
    case oldSoftmax
    case spelledSoftmax
    case stableSoftmax
    case softmaxByReciprocal
    case clippedSoftmax
    case softmaxOfTemperature
    case logSoftmax
    case spelledLogSoftmax
    case sigmoid
    case spelledSigmoid
    case sigmoidByReciprocal
    case clippedSigmoid
    case reshapedSigmoid
    /// A softmax with the maximum of another tensor, which is not a known form: the output is explained as a
    /// probability.
    case unknownProbabilities

    var isOfEachClass: Bool { rawValue.lowercased().contains("sigmoid") }
    var isLogarithm: Bool { rawValue.lowercased().contains("logsoftmax") }
  }

  static func network(_ ending: Ending?, classes: Int = 4) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    let head = builder.add("head", .seededLinear(inputs: 16, outputs: classes, seed: 2))
    func number(_ value: Float) -> Node.ID { builder.constant("number \(value)", Tensor(shape: [], elements: [value])) }
    func reduction(_ function: Reduction.Function) -> any RelevanceKit.Operator {
      .reduce(Reduction(function, axes: [1], keepsAxes: true))
    }
    func softmax(of x: Node.ID, byReciprocal: Bool = false) {
      let e = builder.add("e", .exp, x)
      let sum = builder.add("sum", reduction(.sum), e)
      if byReciprocal {
        builder.add("out", .multiply, builder.add("inverse", .reciprocal, sum), e)
      } else {
        builder.add("out", .divide, e, sum)
      }
    }
    func sigmoid(byReciprocal: Bool) {
      let e = builder.add("e", .exp, builder.add("minus", .negate, head))
      let one = number(1)
      let sum = builder.add("sum", .add, e, one)
      if byReciprocal {
        builder.add("out", .reciprocal, sum)
      } else {
        builder.add("out", .divide, one, sum)
      }
    }
    switch ending {
    case nil: break
    case .softmax: builder.add("out", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    case .oldSoftmax: builder.add("out", .softmax(Softmax(axis: 1, joinsTrailingAxes: true)))
    case .spelledSoftmax: softmax(of: head)
    case .stableSoftmax:
      softmax(of: builder.add("less", .subtract, head, builder.add("max", reduction(.maximum), head)))
    case .softmaxByReciprocal: softmax(of: head, byReciprocal: true)
    case .clippedSoftmax:
      builder.add("softmax", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
      builder.add("out", .clip(lowest: 1e-7, highest: 1 - 1e-7))
    case .softmaxOfTemperature:
      builder.add("warm", .divide, head, number(2.5))
      builder.add("out", .softmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    case .logSoftmax: builder.add("out", .logSoftmax(Softmax(axis: -1, joinsTrailingAxes: false)))
    case .spelledLogSoftmax:
      let sum = builder.add("sum", reduction(.sum), builder.add("e", .exp, head))
      builder.add("out", .subtract, head, builder.add("log", .log, sum))
    case .sigmoid: builder.add("out", .sigmoid)
    case .spelledSigmoid: sigmoid(byReciprocal: false)
    case .sigmoidByReciprocal: sigmoid(byReciprocal: true)
    case .clippedSigmoid:
      builder.add("sigmoid", .sigmoid)
      builder.add("out", .clip(lowest: 0, highest: 1))
    case .reshapedSigmoid:
      builder.add("sigmoid", .sigmoid)
      builder.add("out", .reshape(extents: .fixed([1, classes]), allowZero: false))
    case .unknownProbabilities:
      let e = builder.add("e", .exp, builder.add("half", .multiply, head, number(0.5)))
      let sum = builder.add("sum", reduction(.sum), builder.add("copy", .abs, e))
      builder.add("out", .divide, e, sum)
    }
    return try builder.network()
  }

  private static let table = RuleTable(name: "zPlus") {
    RuleTable.Row(.operators(.conv, position: .first), ZPlusRule())
    RuleTable.default(pixelRange: nil)
  }
  private static let input = Seeded.tensor([1, 3, 4, 4], seed: 1)

  @Test(arguments: Ending.allCases) func probabilitiesAreTheOutputs(ending: Ending) throws {
    let network = try Self.network(ending)
    let executor = Executor(network, threads: 1)
    let output = try executor.trace(Self.input).value(of: network.graph.output).elements
    let explainer = try Explainer(network, rules: Self.table)
    let trace = try explainer.trace(Self.input)
    #expect(trace.layout.decision == (ending.isOfEachClass ? .eachClass : .oneClass))
    for prediction in trace.predictions() {
      let expected = ending.isLogarithm ? exp(output[prediction.classIndex]) : output[prediction.classIndex]
      #expect(abs((prediction.probability ?? -1) - Double(expected)) <= 1e-5, "class \(prediction.classIndex)")
    }
    if ending == .unknownProbabilities { return }
    // The logit is explained as if no operators followed it.
    let plain = try Explainer(Self.network(nil), rules: Self.table).trace(Self.input)
    if ending != .softmaxOfTemperature { #expect(trace.logits == plain.logits) }
    for method in [.lrp, .clrp1, .gradient] as [any AttributionMethod] {
      let (found, expected) = try (trace.explain(.class(1), by: method), plain.explain(.class(1), by: method))
      let scale: Float = ending == .softmaxOfTemperature ? 2.5 : 1
      #expect(found.relevance.map { scale * $0 }.relativeDistance(from: expected.relevance) <= Tolerance.sameMap)
    }
  }

  /// A single logit that decides between two classes.
  enum TwoClasses: String, CaseIterable, Sendable {
    case sigmoid
    case positiveLast
    case positiveFirst
    case byLabels

    var positive: Int { self == .positiveFirst ? 0 : 1 }
  }

  static func network(_ ending: TwoClasses) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    let head = builder.add("head", .seededLinear(inputs: 16, outputs: 1, bias: false, seed: 2))
    if ending == .byLabels { return try builder.network().expecting(classes: 2) }
    let p = builder.add("p", .sigmoid, head)
    guard ending != .sigmoid else { return try builder.network() }
    let one = builder.constant("one", Tensor(shape: [], elements: [1]))
    let q = builder.add("q", .subtract, one, p)
    if ending == .positiveLast {
      builder.add("out", .concat(axis: 1), q, p)
    } else {
      builder.add("out", .concat(axis: 1), p, q)
    }
    return try builder.network()
  }

  /// The network with two logits, one from the negated weights and one from the given weights.
  static func spelledOut(_ ending: TwoClasses) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    let weight = Seeded.tensor([1, 16], seed: 2)
    let rows =
      ending.positive == 1
      ? weight.map { -$0 }.elements + weight.elements : weight.elements + weight.map { -$0 }.elements
    builder.add("head", .linear(Linear(weight: Tensor(shape: [2, 16], elements: rows), bias: nil)))
    return try builder.network()
  }

  @Test(arguments: TwoClasses.allCases, [1, 2, 3, 4, 5, 6] as [UInt64])
  func aSingleLogitIsTwoClasses(ending: TwoClasses, seed: UInt64) throws {
    let input = Seeded.tensor([1, 3, 4, 4], seed: seed)
    let trace = try Explainer(Self.network(ending), rules: Self.table).trace(input)
    #expect(trace.classes == 2 && trace.layout.decision == .twoClasses(positive: ending.positive))
    let z = trace.logits[0, ending.positive]
    #expect(trace.logits[0, 1 - ending.positive] == -z)
    for prediction in trace.predictions() {
      let expected = 1 / (1 + exp(Double(prediction.classIndex == ending.positive ? -z : z)))
      #expect(abs((prediction.probability ?? -1) - expected) < 1e-9)
    }
    let spelled = try Explainer(Self.spelledOut(ending), rules: Self.table).trace(input)
    let winner = trace.predictions()[0].classIndex
    for method in [.lrp, .gradient, .gradientTimesInput, .integratedGradients] as [any AttributionMethod] {
      let maps = try [0, 1].map { try trace.explain(.class($0), by: method).relevance }
      #expect(maps[0] == maps[1].map { -$0 }, "\(method): the classes' maps are opposite")
      let expected = try spelled.explain(.class(winner), by: method).relevance
      #expect(maps[winner].relativeDistance(from: expected) <= Tolerance.map, "\(method)")
      #expect(expected.largestMagnitude() > 0)
    }
    // The other class is the negated one, regardless of the contrast.
    for target in 0..<2 {
      let expected = try spelled.explain(.class(target), by: .clrp2).signedRelevance
      for method in [.clrp2, .clrp1, CLRP1(against: .classes([1 - target]))] as [any AttributionMethod] {
        let found = try trace.explain(.class(target), by: method)
        #expect(found.signedRelevance.relativeDistance(from: expected) <= Tolerance.map, "\(method) of class \(target)")
      }
    }
    let error = #expect(throws: ExplanationError.self) { try trace.explain(.class(2)) }
    #expect(error?.description == "there is no class 2: the network has classes 0 to 1")
  }

  /// A single output without a sigmoid is a quantity: it has no probability and no alternatives.
  @Test func quantities() throws {
    var builder = GraphBuilder(item: [3, 4, 4])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .seededLinear(inputs: 16, outputs: 1, seed: 2))
    let trace = try Explainer(builder.network(), rules: Self.table).trace(Self.input)
    #expect(trace.layout.decision == .quantity)
    #expect(trace.predictions().map(\.probability) == [nil])
    // There are no alternatives to contrast with.
    #expect(try trace.explain(.class(0), by: .clrp1).signedRelevance == trace.explain(.class(0)).relevance)
    // A declared decision takes precedence over the form of the graph.
    let several = try Self.network(nil).expecting(decision: .eachClass)
    #expect(try Explainer(several, rules: Self.table).trace(Self.input).layout.decision == .eachClass)
  }
}
