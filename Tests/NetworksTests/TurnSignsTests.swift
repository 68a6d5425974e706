import RelevanceKit
import RelevanceTestSupport
import Testing

/// Negative constant factors move into the layer before them, and results are bitwise equal.
@Suite struct TurnSignsTests {
  /// A factor that is negative everywhere or in some channels.
  enum Factor: String, CaseIterable {
    case normalization, negation, scalar, perChannel, quotient, difference, differenceByChannel, product

    /// Adds the factor after a node whose output has `channels` channels. If `spatial`, spatial axes follow them.
    func add(to builder: inout GraphBuilder, _ x: Node.ID, channels: Int, spatial: Bool) -> Node.ID {
      let extents: TensorShape = spatial ? [channels, 1, 1] : [channels]
      /// For a flattened map, one number for all positions of a channel.
      func numbers(_ shape: TensorShape, seed: UInt64, low: Double = -1, high: Double = 1) -> Tensor {
        let run = shape.count == 4 * 36 ? 36 : 1
        let tensor = Seeded.tensor(shape, seed: seed, low: low, high: high)
        return Tensor(shape: shape, elements: (0..<shape.count).map { tensor.elements[$0 / run] })
      }
      func constant(_ name: String, _ shape: TensorShape, low: Double, high: Double) -> Node.ID {
        builder.constant("\(name)", numbers(shape, seed: 77, low: low, high: high))
      }
      switch self {
      case .normalization:
        let shape: TensorShape = [channels]
        return builder.add(
          "factor",
          .batchNormalization(
            BatchNormalization(
              scale: numbers(shape, seed: 78, low: -2, high: 2), shift: Seeded.tensor(shape, seed: 79))), x)
      case .negation: return builder.add("factor", .negate, x)
      case .scalar: return builder.add("factor", .multiply, constant("c", [], low: -2, high: -0.5), x)
      case .perChannel: return builder.add("factor", .multiply, x, constant("c", extents, low: -2, high: 2))
      case .quotient: return builder.add("factor", .divide, x, constant("c", [1], low: -2, high: -0.5))
      case .difference: return builder.add("factor", .subtract, constant("c", [], low: -2, high: 2), x)
      case .differenceByChannel:
        return builder.add("factor", .subtract, constant("c", extents, low: -2, high: 2), x)
      case .product:
        // A factor of −1 disappears completely once its sign has moved.
        return builder.add("factor", .multiply, x, builder.constant("c", Tensor(shape: [1], elements: [-1])))
      }
    }
  }

  /// The nodes between layers and the factor. Before them, items have 4 channels of 6 × 6.
  enum Between: String, CaseIterable {
    case nothing, flatten, reshape, transposes, averages, mean, sum, difference, concat, concatWithConstant, pad, slice
    case resize, normalization, shift, scale, gate, lrn

    /// Adds the nodes; layers are added as needed.
    func add(to builder: inout GraphBuilder, _ layer: (inout GraphBuilder, String) -> Node.ID) throws
      -> (node: Node.ID, channels: Int, spatial: Bool)
    {
      let a = layer(&builder, "a")
      func done(_ node: Node.ID, _ channels: Int = 4, _ spatial: Bool = true) -> (Node.ID, Int, Bool) {
        (node, channels, spatial)
      }
      switch self {
      case .nothing: return done(a)
      case .flatten: return done(builder.add("between", .flatten(axis: 1), a), 4 * 36, false)
      case .reshape: return done(builder.add("between", .reshape(extents: [0, 4, 9, 4], allowZero: false), a))
      case .transposes:
        let last = builder.add("last", .transpose(order: [0, 2, 3, 1]), a)
        let shifted = builder.add("wide", .reshape(extents: [0, 3, 12, 4], allowZero: false), last)
        return done(builder.add("between", .transpose(order: [0, 3, 1, 2]), shifted))
      case .averages:
        let pool = AveragePool(window: try Window(kernel: [2, 2], strides: [2, 2]), countsPadding: false)
        return done(builder.add("between", .averagePool(pool), a))
      case .mean: return done(builder.add("between", .mean(axes: [2, 3], keepsAxes: false), a), 4, false)
      case .sum: return done(builder.add("between", .add, a, layer(&builder, "b")))
      case .difference: return done(builder.add("between", .subtract, a, layer(&builder, "b")))
      case .concat: return done(builder.add("between", .concat(axis: 1), a, layer(&builder, "b")), 8)
      case .concatWithConstant:
        let constant = builder.constant("rest", Seeded.tensor([1, 2, 6, 6], seed: 80))
        return done(builder.add("between", .concat(axis: -3), a, constant), 6)
      case .pad: return done(builder.add("between", .pad(Pad(amounts: [0, 0, 1, 1, 0, 0, 0, 2], value: 0)), a))
      case .slice:
        let slice = Slice(starts: [3], ends: [-5], axes: [1], steps: [-1])
        return done(builder.add("between", .slice(slice), a))
      case .resize:
        let resize = Resize(scales: [1, 1, 2, 2], sizes: nil, mode: .linear, coordinates: .halfPixel, rounding: .floor)
        return done(builder.add("between", .resize(resize), a))
      case .normalization:
        let parameters = BatchNormalization(scale: Seeded.tensor([4], seed: 81), shift: Seeded.tensor([4], seed: 82))
        return done(builder.add("between", .batchNormalization(parameters), a))
      case .shift:
        return done(builder.add("between", .add, a, builder.constant("s", Seeded.tensor([4, 1, 1], seed: 83))))
      case .scale:
        return done(builder.add("between", .multiply, builder.constant("s", Seeded.tensor([1, 4, 1, 1], seed: 84)), a))
      case .gate:
        let gate = builder.add("gate", .sigmoid, builder.input)
        return done(builder.add("between", .multiply, a, gate))
      case .lrn:
        return done(
          builder.add(
            "between",
            .localResponseNormalization(LocalResponseNormalization(size: 3, alpha: 1, beta: 0.75, bias: 1)), a))
      }
    }
  }

  enum Layer: String, CaseIterable {
    case convolution, grouped, transposed

    func operation(_ seed: UInt64) throws -> any RelevanceKit.Operator {
      let ones = Padding.explicit(before: [1, 1], after: [1, 1])
      switch self {
      case .convolution:
        return try .seededConvolution(inputs: 4, outputs: 4, kernel: [3, 3], padding: ones, seed: seed)
      case .grouped:
        return try .seededConvolution(inputs: 4, outputs: 4, kernel: [3, 3], padding: ones, groups: 2, seed: seed)
      case .transposed:
        return .transposedConvolution(
          TransposedConvolution(
            weight: Seeded.tensor([4, 2, 3, 3], seed: seed), bias: Seeded.tensor([4], seed: seed + 1),
            window: try Window(kernel: [3, 3], padding: ones), outputPadding: [0, 0], groups: 2))
      }
    }
  }

  /// The same graph twice. If `isOpen`, an identity before the factor stops signs from moving.
  private func graph(_ layer: Layer, _ between: Between, _ factor: Factor, isOpen: Bool) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [4, 6, 6])
    var seed: UInt64 = 90
    let operations = try [layer.operation(90), layer.operation(95)]
    var (x, channels, spatial) = try between.add(to: &builder) { builder, name in
      defer { seed += 5 }
      return builder.add(name, operations[seed == 90 ? 0 : 1], builder.input)
    }
    if isOpen { x = builder.add("open", .clip(lowest: -.infinity, highest: .infinity), x) }
    x = factor.add(to: &builder, x, channels: channels, spatial: spatial)
    builder.add("relu", .relu, x)
    return try builder.network()
  }

  @Test(arguments: Layer.allCases, Between.allCases) func resultsAreBitwiseEqual(layer: Layer, between: Between) throws
  {
    let x = Seeded.tensor([between == .concatWithConstant ? 1 : 2, 4, 6, 6], seed: 1)
    for factor in Factor.allCases {
      let (turned, open) = try (
        graph(layer, between, factor, isOpen: false), graph(layer, between, factor, isOpen: true)
      )
      #expect(Self.negativeFactors(turned).isEmpty, "\(factor)")
      #expect(!Self.negativeFactors(open).isEmpty, "\(factor)")
      let (found, expected) = try (Executor(turned).logits(x), Executor(open).logits(x))
      #expect(found == expected, "\(factor)")
      // Folding starts from the same weights, if there is anything to fold.
      #expect(try Self.negativeFactors(turned.foldingBatchNormalization()).isEmpty)
    }
  }

  @Test(arguments: Factor.allCases) func linearLayersTakeSigns(factor: Factor) throws {
    func network(isOpen: Bool) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [6])
      var x = builder.add("layer", .seededLinear(inputs: 6, outputs: 5, seed: 3))
      if isOpen { x = builder.add("open", .clip(lowest: -.infinity, highest: .infinity), x) }
      x = factor.add(to: &builder, x, channels: 5, spatial: false)
      builder.add("relu", .relu, x)
      builder.add("head", .seededLinear(inputs: 5, outputs: 3, seed: 4))
      return try builder.network()
    }
    let (turned, open) = try (network(isOpen: false), network(isOpen: true))
    #expect(Self.negativeFactors(turned).isEmpty && !Self.negativeFactors(open).isEmpty)
    let x = Seeded.tensor([3, 6], seed: 5)
    #expect(try Executor(turned).logits(x) == Executor(open).logits(x))
  }

  /// The names of removed nodes are kept, and weights that are not flipped stay in place.
  @Test func removedNodesKeepTheirNames() throws {
    var builder = GraphBuilder(item: [4, 6, 6])
    let convolution = try Layer.convolution.operation(90)
    builder.add("a", convolution)
    builder.add("relu", .relu)
    builder.add("b", convolution)
    builder.add("neg", .negate)
    let network = try builder.network()
    #expect(network.graph.nodes.map(\.name) == ["x", "a", "relu", "b"])
    #expect(network.graph.node(named: "neg") == network.graph.node(named: "b"))
    guard let before = convolution as? Convolution, let a = network.graph.nodes[1].operation as? Convolution,
      let b = network.graph.nodes[3].operation as? Convolution
    else { throw Missing() }
    let address = { (tensor: Tensor) in tensor.withUnsafeElements { $0.baseAddress } }
    #expect(address(a.weight) == address(before.weight))
    #expect(b.weight == before.weight.map { -$0 } && b.bias == before.bias?.map { -$0 })
  }

  /// If a sign cannot move all the way, nothing moves.
  @Test func signsThatCannotMoveAreKept() throws {
    let pool = MaxPool(try Window(kernel: [2, 2], strides: [2, 2]))
    func network(_ build: (inout GraphBuilder, Node.ID) -> Void) throws -> NeuralNetwork {
      var builder = GraphBuilder(item: [4, 6, 6])
      build(&builder, builder.add("layer", try Layer.convolution.operation(90)))
      return try builder.network()
    }
    // A maximum, another user of the values, a summand that is the input, the input itself.
    let standing = try [
      network {
        $0.add("pool", pool, $1); $0.add("neg", .negate)
      },
      network {
        let neg = $0.add("neg", .negate, $1); $0.add("join", .concat(axis: 1), $1, neg)
      },
      network {
        let sum = $0.add("sum", .add, $1, $0.input); $0.add("neg", .negate, sum)
      },
      network {
        let neg = $0.add("neg", .negate, $0.input); $0.add("sum", .add, $1, neg)
      },
    ]
    for network in standing {
      #expect(Self.negativeFactors(network) == ["neg"])
      guard let layer = network.graph.nodes.first(where: { $0.name == "layer" })?.operation as? Convolution,
        let original = try Layer.convolution.operation(90) as? Convolution
      else { throw Missing() }
      #expect(layer.weight == original.weight)
    }
  }

  struct Missing: Error {}

  /// The nodes that still multiply by negative numbers.
  private static func negativeFactors(_ network: NeuralNetwork) -> [String] {
    func constant(_ id: Node.ID) -> Tensor? {
      (network.graph[id].operation as? Constant)?.tensor
    }
    return network.graph.nodes.filter { node in
      switch node.operation {
      case let parameters as BatchNormalization: return parameters.scale.elements.contains { $0 < 0 }
      case is Negate: return true
      case is Subtract: return constant(node.inputs[0]) != nil
      case is Multiply, is Divide:
        return node.inputs.compactMap { constant($0) }.contains { $0.elements.contains { $0 < 0 } }
      default: return false
      }
    }.map(\.name)
  }
}
