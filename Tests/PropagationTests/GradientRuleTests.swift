import RelevanceKit
import RelevanceTestSupport
import Testing

/// Derivatives of every operator that depends smoothly on its operands, against finite differences of outputs.
@Suite struct GradientRuleTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let item: [Int]
    let operation: any RelevanceKit.Operator
    /// The factor and the offset that are applied to values between −2 and 2.
    var scale: Float = 1
    var offset: Float = 0
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    let map = [4, 5, 6]
    var cases = LayerCase.all.filter { $0.item[0] == 4 }.map {
      Case(name: $0.name, item: $0.item, operation: $0.operation)
    }
    cases += LayerCase.others.map { Case(name: $0.name, item: $0.item, operation: $0.operation) }
    let functions: [any ElementwiseFunction] = [
      .abs, .clip(lowest: -0.5, highest: 0.4), .elu(alpha: 0.7), .erf, .exp, .gelu(approximate: false),
      .gelu(approximate: true), .hardSigmoid(alpha: 0.3, beta: 0.5), .hardSwish, .leakyRelu(alpha: 0.1), .mish, .negate,
      .sigmoid,
      .softplus, .tanh, Selu(alpha: 1.3, gamma: 0.9), ArcTangent(), AreaSine(), Celu(alpha: 0.7), Cosine(),
      HyperbolicCosine(),
      HyperbolicSine(), Shrink(bias: 0.2, lambda: 0.2), Sine(), Softsign(), Swish(alpha: 1.3),
      ThresholdedRelu(alpha: 0),
    ]
    cases += functions.map { Case(name: "\($0)", item: map, operation: $0) }
    cases.append(Case(name: "relu", item: map, operation: .relu))
    // For values between −2 and 2.
    for function in [Tangent(), ArcSine(), ArcCosine(), AreaTangent()] as [any ElementwiseFunction] {
      cases.append(Case(name: "\(function)", item: map, operation: function, scale: 0.4))
    }
    cases.append(Case(name: "acosh", item: map, operation: AreaCosine(), scale: 0.4, offset: 2))
    cases.append(
      Case(name: "prelu", item: map, operation: .parametricRelu(slope: Seeded.tensor([4, 1, 1], seed: 9))))
    for window in [try? Window(kernel: [2, 2], strides: [2, 2]), try? Window(kernel: [3, 3], strides: [1, 2])] {
      cases.append(Case(name: "max pool", item: map, operation: .maxPool(window!)))
    }
    for size in [1, 3, 4] {
      let lrn = LocalResponseNormalization(size: size, alpha: 0.9, beta: 0.75, bias: 1.5)
      cases.append(Case(name: "lrn \(size)", item: map, operation: .localResponseNormalization(lrn)))
    }
    let norm = LayerNormalization(
      axis: -1, scale: Seeded.tensor([6], seed: 10), shift: Seeded.tensor([6], seed: 11), epsilon: 1e-3)
    cases.append(Case(name: "layer normalization", item: map, operation: .layerNormalization(norm)))
    let rootMeanSquare = LayerNormalization(
      axis: -1, scale: Seeded.tensor([6], seed: 10), shift: nil, epsilon: 1e-3, isCentered: false)
    cases.append(Case(name: "root mean square", item: map, operation: rootMeanSquare))
    let steps = QuantizationSteps(
      scale: Seeded.tensor([6], seed: 12, low: 0.1, high: 0.3), zero: Seeded.tensor([6], seed: 13), axis: -1)
    cases.append(Case(name: "dequantize", item: map, operation: Dequantize(steps, from: .int8)))
    for groups in [nil, 1, 2] {
      let norm = GroupNormalization(
        groups: groups, scale: Seeded.tensor([groups == 2 ? 2 : 4], seed: 12),
        shift: Seeded.tensor([groups == 2 ? 2 : 4], seed: 13), epsilon: 1e-3)
      cases.append(Case(name: "normalization of \(groups ?? 4) groups", item: map, operation: norm))
    }
    for (axis, joins) in [(1, false), (-1, false), (2, true)] {
      let softmax = Softmax(axis: axis, joinsTrailingAxes: joins)
      cases.append(Case(name: "softmax \(axis) \(joins)", item: map, operation: .softmax(softmax)))
      cases.append(Case(name: "log-softmax \(axis) \(joins)", item: map, operation: .logSoftmax(softmax)))
    }
    for function in [Reduction.Function.sum, .maximum, .minimum] {
      cases.append(
        Case(
          name: "\(function) over axes", item: map,
          operation: .reduce(Reduction(function, axes: [2, 3], keepsAxes: false))))
    }
    for operation in [DepthToSpace(block: 2), DepthToSpace(block: 2, order: .columnsFirst)] {
      cases.append(Case(name: "depth to space, \(operation.order)", item: map, operation: operation))
    }
    cases.append(Case(name: "space to depth", item: [2, 4, 6], operation: DepthToSpace(block: 2, inverse: true)))
    for axis in [1, -1] {
      let top = TopElements(axis: axis, isLargest: axis == 1, count: [3], givesPlaces: false)
      cases.append(Case(name: "top elements, axis \(axis)", item: map, operation: top))
    }
    cases.append(Case(name: "transpose", item: map, operation: .transpose(order: [0, 3, 1, 2])))
    cases.append(Case(name: "reshape", item: map, operation: .reshape(extents: [0, 6, -1], allowZero: false)))
    return cases
  }()

  private static let table = RuleTable.gradient()

  /// ⟨R, (f(x + h d) − f(x − h d)) / 2h⟩ equals the product of the result with d, for any direction d.
  @Test(arguments: cases) func matchesDifferences(test: Case) throws {
    var builder = GraphBuilder(item: test.item)
    if test.scale != 1 {
      let scale = builder.constant("scale", Tensor(shape: [], elements: [test.scale]))
      let offset = builder.constant("offset", Tensor(shape: [], elements: [test.offset]))
      builder.add("shifted", .add, builder.add("scaled", .multiply, builder.input, scale), offset)
    }
    builder.add("node", test.operation)
    // A softmax at the end would be removed, so another node follows.
    builder.add("end", .negate)
    try expectGradient(builder.network(), item: test.item)
  }

  /// Values selected by a comparison of the values themselves; the condition has no derivative.
  @Test func choices() throws {
    for extents in [[2, 4, 5, 6], [2, 4, 1, 1]] {
      var builder = GraphBuilder(item: [4, 5, 6])
      let a = builder.add("a", .sigmoid, builder.input)
      let means = builder.add("mean", .mean(axes: [2, 3], keepsAxes: true), builder.input)
      let b = builder.add("b", .negate, extents[2] == 1 ? means : builder.input)
      let limit = builder.constant("limit", Tensor(shape: [], elements: [0.3]))
      let holds = builder.add("holds", Comparison(.less), builder.input, limit)
      builder.add("choice", Where(), holds, a, b)
      try expectGradient(builder.network(), item: [4, 5, 6])
    }
  }

  /// Samples of an image at positions that are computed from the image; the samples depend on both.
  @Test(arguments: [GridSample.Padding.zeros, .border, .reflection], [GridSample.Mode.linear, .cubic])
  func samples(padding: GridSample.Padding, mode: GridSample.Mode) throws {
    for alignsCorners in [false, true] {
      var builder = GraphBuilder(item: [4, 5, 6])
      let scale = builder.constant("scale", Tensor(shape: [], elements: [0.7]))
      let positions = builder.add("positions", .multiply, builder.input, scale)
      let axes = builder.add("axes", Slice(starts: [0], ends: [2], axes: [1]), positions)
      let grid = builder.add("grid", .transpose(order: [0, 2, 3, 1]), axes)
      let smooth = builder.add("smooth", .sigmoid, builder.input)
      builder.add("sample", GridSample(mode: mode, padding: padding, alignsCorners: alignsCorners), smooth, grid)
      try expectGradient(builder.network(), item: [4, 5, 6])
    }
  }

  @Test(arguments: ["add", "multiply", "subtract", "divide", "minimum", "maximum", "power", "self"])
  func pairs(name: String) throws {
    for extents in [[2, 4, 5, 6], [2, 4, 1, 1], [2, 1, 5, 6]] {
      var builder = GraphBuilder(item: [4, 5, 6])
      // Values around 2 and 3, so that quotients and powers are smooth.
      let a = builder.add("a", .sigmoid, builder.input)
      let axes = (1..<4).filter { extents[$0] == 1 }
      var b =
        axes.isEmpty ? builder.input : builder.add("mean", .mean(axes: axes, keepsAxes: true), builder.input)
      b = builder.add("b", .softplus, b)
      let operation: any RelevanceKit.Operator =
        switch name {
        case "add": .add
        case "multiply", "self": .multiply
        case "subtract": .subtract
        case "divide": .divide
        case "minimum": .minimum
        case "maximum": .maximum
        default: .power
        }
      builder.add("pair", operation, a, name == "self" ? a : b)
      try expectGradient(builder.network(), item: [4, 5, 6])
    }
  }

  private func expectGradient(_ network: NeuralNetwork, item: [Int]) throws {
    let shape = TensorShape([2] + item)
    // All values differ by more than a step, so that their order does not change.
    var generator = Shuffle(state: 5)
    let values = (0..<shape.count).map { 4 * (Float($0) + 0.5) / Float(shape.count) - 2 }.shuffled(using: &generator)
    let x = Tensor(shape: shape, elements: values)
    let walk = try Walk(network, Self.table, x)
    let end = network.graph[network.graph.output].name
    let output = walk.value(end).shape
    let (r, direction) = (Seeded.tensor(output, seed: 2), Seeded.tensor(shape, seed: 3, low: -0.5, high: 0.5))
    let found = walk.relevance(from: end, r)
    let h: Float = 1 / 256
    let executor = Executor(network)
    func value(_ step: Float) throws -> [Double] {
      try executor.trace(x.combined(with: direction) { $0 + step * $1 }).value(of: network.graph.output).doubles
    }
    let (ahead, behind) = (try value(h), try value(-h))
    let expected = zip(r.doubles, zip(ahead, behind)).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) / Double(2 * h) }
    let product = zip(found.doubles, direction.doubles).reduce(0) { $0 + $1.0 * $1.1 }
    let scale = zip(found.doubles, direction.doubles).reduce(0) { $0 + abs($1.0 * $1.1) }
    #expect(abs(product - expected) <= 5e-3 * scale, "\(product), by differences \(expected)")
    #expect(scale > 0)
  }

  /// Quantization passes relevance straight through except where values are clipped; dequantization reverses its scale.
  @Test func quantizedValuesPassGradients() throws {
    let steps = QuantizationSteps(
      scale: Tensor(shape: [3], elements: [0.1, 0.25, 0.01]), zero: Tensor(shape: [3], elements: [0, 10, -5]), axis: 2)
    var builder = GraphBuilder(item: [2, 3])
    builder.add("quantize", Quantize(steps, to: .int8))
    builder.add("end", Dequantize(steps, from: .int8))
    let x = Tensor(shape: [1, 2, 3], elements: [0.34, -1.1, 0.6, 15, 40, -0.4])
    let walk = try Walk(builder.network(), Self.table, x)
    #expect(walk.value("quantize").elements == [3, 6, 55, 127, 127, -45])
    let r = Tensor(shape: [1, 2, 3], elements: [1, 2, 3, 4, 5, 6])
    let expected = Tensor(shape: [1, 2, 3], elements: [1, 2, 3, 0, 0, 6])
    #expect(walk.relevance(from: "end", r).largestDifference(from: expected) <= 1e-5)
    // Rule pass ignores rounding and clipping.
    let passed = try Walk(builder.network(), .default(pixelRange: nil), x)
    #expect(passed.relevance(from: "end", r) == r)
  }

  /// A reproducible random order (linear congruential generator).
  private struct Shuffle: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state
    }
  }

  /// The relevance that rectifiers pass, by the definitions.
  @Test(arguments: GradientRule.Rectifier.allCases) func rectifiers(rectifier: GradientRule.Rectifier) throws {
    var builder = GraphBuilder(item: [3, 4, 5])
    builder.add("relu", .relu)
    let x = Seeded.tensor([2, 3, 4, 5], seed: 1)
    let walk = try Walk(builder.network(), .gradient(rectifier), x)
    let r = Seeded.tensor([6, 3, 4, 5], seed: 2)
    let expected = zip(x.repeatingItems(3), r.doubles).map { x, r in
      let (forward, backward) = (x > 0, r > 0)
      switch rectifier {
      case .gradient: return forward ? r : 0
      case .deconvolution: return backward ? r : 0
      case .guided: return forward && backward ? r : 0
      }
    }
    #expect(walk.relevance(from: "relu", r, count: 3).doubles == expected)
  }
}
