import RelevanceKit
import RelevanceTestSupport
import Testing

/// Networks whose first axis is not always the batch, compared with equivalent networks without these detours: maps are
/// the same for every method, for one target and for several targets.
@Suite struct LeadingAxisTests {
  /// A way to move the batch axis and to restore it.
  enum Detour: String, CaseIterable, Sendable {
    /// Two views that are folded into the batch pass through one convolution, compared with a convolution in two
    /// groups.
    case foldedConvolution
    /// The same with a pooling.
    case foldedPooling
    /// Views are normalized across their channels, compared with slices.
    case foldedNormalization
    /// Batch and channels are swapped around a pooling.
    case transposed
    /// The batch axis is dropped after the head.
    case squeezed
    /// The batch axis is dropped before a rectifier and restored after it.
    case withoutBatch
    /// The output is a list of all values, shifted by a constant that repeats the batch.
    case broadcast

    /// Whether the detour accepts a batch of several inputs.
    var takesBatches: Bool { [.foldedConvolution, .foldedPooling, .foldedNormalization, .transposed].contains(self) }
  }

  /// Six channels of 8 × 8, the detour or its equivalent, and a head of five classes.
  static func network(_ detour: Detour, isDirect: Bool) throws -> NeuralNetwork {
    var builder = GraphBuilder(item: [6, 8, 8])
    func reshape(_ extents: [Int]) -> any RelevanceKit.Operator { .reshape(extents: .fixed(extents), allowZero: false) }
    let ones = Padding.explicit(before: [1, 1], after: [1, 1])
    let weight = Seeded.tensor([4, 3, 3, 3], seed: 1)
    let bias = Seeded.tensor([4], seed: 2)
    func convolution(groups: Int) throws -> any RelevanceKit.Operator {
      let weights = [Tensor](repeating: weight, count: groups).flatMap(\.elements)
      let biases = [Tensor](repeating: bias, count: groups).flatMap(\.elements)
      return .convolution(
        Convolution(
          weight: Tensor(shape: [4 * groups, 3, 3, 3], elements: weights),
          bias: Tensor(shape: [4 * groups], elements: biases), window: try Window(kernel: [3, 3], padding: ones),
          groups: groups))
    }
    let pool = MaxPool(try Window(kernel: [2, 2], strides: [2, 2]))
    let norm = LocalResponseNormalization.localResponseNormalization(
      LocalResponseNormalization(size: 3, alpha: 0.5, beta: 0.75, bias: 1))
    if detour == .foldedConvolution {
      if !isDirect { builder.add("fold", reshape([-1, 3, 8, 8])) }
      builder.add("conv", try convolution(groups: isDirect ? 2 : 1))
      if !isDirect { builder.add("unfold", reshape([-1, 8, 8, 8])) }
    } else {
      builder.add("conv", try convolution(groups: 2))
    }
    let relu = builder.add("relu", .relu)
    switch detour {
    case .foldedConvolution, .squeezed, .broadcast: builder.add("pool", pool)
    case .foldedPooling:
      if !isDirect { builder.add("fold", reshape([-1, 2, 8, 8])) }
      builder.add("pool", pool)
      if !isDirect { builder.add("unfold", reshape([-1, 8, 4, 4])) }
    case .foldedNormalization:
      if isDirect {
        let halves = [0, 1].map { index in
          let part = builder.add("part\(index)", .part(axis: 1, index: index, count: 2), relu)
          return builder.add("norm\(index)", norm, part)
        }
        builder.add("join", .concat(axis: 1), halves[0], halves[1])
      } else {
        builder.add("fold", reshape([-1, 4, 8, 8]))
        builder.add("norm", norm)
        builder.add("unfold", reshape([-1, 8, 8, 8]))
      }
      builder.add("pool", pool)
    case .transposed:
      if !isDirect { builder.add("there", .transpose(order: [1, 0, 2, 3])) }
      builder.add("pool", pool)
      if !isDirect { builder.add("back", .transpose(order: [1, 0, 2, 3])) }
    case .withoutBatch:
      builder.add("pool", pool)
      if !isDirect { builder.add("drop", .squeeze(axes: [0])) }
      builder.add("rectify", .leakyRelu(alpha: 0.5))
      if !isDirect { builder.add("bring", .unsqueeze(axes: [0])) }
    }
    builder.add("flatten", .flatten(axis: 1))
    let head = builder.add("head", .seededLinear(inputs: 128, outputs: 5, seed: 3))
    switch (detour, isDirect) {
    case (.squeezed, false): builder.add("list", .squeeze(axes: [0]))
    case (.broadcast, false):
      // All copies of the scores are equivalent; the first five are those of the direct network.
      let shift = builder.constant("shift", Tensor(shape: [2, 1], elements: [0, 100]))
      builder.add("shifted", .add, head, shift)
      builder.add("all", .reshape(extents: .fixed([1, 10]), allowZero: false))
    default: break
    }
    return try builder.network()
  }

  private static let table = RuleTable(name: "zPlus") {
    RuleTable.Row(.operators(.conv, position: .first), ZPlusRule())
    RuleTable.Row(.operators(.lrn), TaylorRule())
    RuleTable.default(pixelRange: nil)
  }

  private static func input(batch: Int = 1) -> Tensor { Seeded.tensor([batch, 6, 8, 8], seed: 9, low: 0, high: 1) }

  private static func explainer(_ detour: Detour, isDirect: Bool) throws -> Explainer {
    try Explainer(network(detour, isDirect: isDirect), rules: table)
  }

  @Test(arguments: Detour.allCases, MethodCatalog.general.filter { $0.name != "random" })
  func mapsMatchTheDirectNetwork(detour: Detour, method: any AttributionMethod) throws {
    // Copies of the classes are additional classes for methods that contrast with all classes, and the sum is not part
    // of a linear head.
    if detour == .broadcast, method.isContrastive { return }
    // Class activation maps need a layer by name.
    let method: any AttributionMethod =
      switch method {
      case is GradCAM: GradCAM(layer: "relu")
      case is GuidedGradCAM: GuidedGradCAM(layer: "relu")
      case is LayerCAM: LayerCAM(layer: "relu")
      default: method
      }
    let detoured = try Self.explainer(detour, isDirect: false).trace(Self.input())
    let direct = try Self.explainer(detour, isDirect: true).trace(Self.input())
    #expect(detoured.logits.elements.prefix(5).elementsEqual(direct.logits.elements))
    let targets = [Target.class(3), .class(0), .unit(node: "relu", channel: 5), .class(4)]
      .filter { $0.classIndex != nil || !method.needsClass }
    let expected = try targets.map { try direct.explain($0, by: method) }
    let together = try detoured.explain(targets, by: method)
    for (index, target) in targets.enumerated() {
      let alone = try detoured.explain(target, by: method)
      for found in [alone, together[index]] {
        let distance = found.signedRelevance.relativeDistance(from: expected[index].signedRelevance)
        #expect(distance <= Tolerance.map, "\(target)")
        #expect(found.scores == expected[index].scores)
        #expect(abs(found.ledger.absorbed - expected[index].ledger.absorbed) <= 1e-3 * abs(Double(found.score)) + 1e-6)
      }
      #expect(expected[index].signedRelevance.largestMagnitude() > 0)
    }
  }

  /// Consecutive views can be folded into any batch, and the batch can be an axis other than the first.
  @Test(
    arguments: Detour.allCases.filter(\.takesBatches), [.lrp, .clrp1, .clrp2, .gradient] as [any AttributionMethod])
  func batchesOfFoldedViews(detour: Detour, method: any AttributionMethod) throws {
    let explainer = try Self.explainer(detour, isDirect: false)
    let batch = Self.input(batch: 3)
    let trace = try explainer.trace(batch)
    #expect(trace.batch == 3 && trace.logits.shape == [3, 5])
    let together = try trace.explain([.class(1), .class(2)], by: method)
    for item in 0..<3 {
      let single = try explainer.trace(batch.item(item))
      for (number, target) in [Target.class(1), .class(2)].enumerated() {
        let expected = try single.explain(target, by: method)
        #expect(
          together[number].signedRelevance.item(item).relativeDistance(from: expected.signedRelevance) <= Tolerance.map)
      }
    }
  }

  /// A batch that the network mixes is rejected with the name of the node.
  @Test func mixedBatches() throws {
    let explainer = try Self.explainer(.broadcast, isDirect: false)
    let error = #expect(throws: ExecutionError.self) { try explainer.trace(Self.input(batch: 2)) }
    #expect(error?.description == "node all mixes the 2 items of the batch; pass one input at a time")
  }

  /// Outputs without axes have one value, and outputs without elements cannot be explained.
  @Test func scalarsAndEmptyOutputs() throws {
    var scalar = GraphBuilder(item: [2, 3, 3])
    scalar.add("mean", .mean(axes: [0, 1, 2, 3], keepsAxes: false))
    let x = Seeded.tensor([1, 2, 3, 3], seed: 1, low: 0, high: 1)
    let trace = try Explainer(scalar.network(), rules: .default(pixelRange: nil)).trace(x)
    #expect(trace.logits.shape == [1, 1] && trace.layout.decision == .quantity)
    for method in [.lrp, .gradient] as [any AttributionMethod] {
      let map = try trace.explain(.class(0), by: method).relevance
      let expected = x.map { method is LRP ? $0 / 18 : 1 / 18 }
      #expect(map.relativeDistance(from: expected) <= Tolerance.sameMap)
    }
    var empty = GraphBuilder(item: [2, 3, 3])
    empty.add("none", .slice(Slice(starts: [1], ends: [1], axes: [1])))
    let explainer = try Explainer(empty.network(), rules: .default(pixelRange: nil))
    let error = #expect(throws: ExecutionError.self) { try explainer.trace(x) }
    #expect(error?.description == "the output none has shape 1×0×3×3, without elements, so there is no prediction")
  }

  /// An example of an input with many open extents is small enough to exist; an impossible extent is rejected.
  @Test func openAndImpossibleExtents() throws {
    let open = SymbolicShape((0..<9).map { .symbolic("d\($0)") })
    func network(_ shape: SymbolicShape) throws -> NeuralNetwork {
      try NeuralNetwork(
        Graph(
          name: "test",
          nodes: [
            Node(name: "x", operation: .input(shape), inputs: []),
            Node(name: "relu", operation: .relu, inputs: [Node.ID(0)]),
          ], output: Node.ID(1)))
    }
    #expect(try network(open).exampleInputShape() == TensorShape([1] + [Int](repeating: 8, count: 8)))
    let huge = SymbolicShape([.fixed(1 << 40), .fixed(1 << 40)])
    let error = #expect(throws: GraphError.self) { try network(huge) }
    #expect(error?.description.contains("is not a tensor shape") == true)
  }
}

extension AttributionMethod {
  /// Whether the method contrasts classes, so that a unit cannot be its target.
  fileprivate var needsClass: Bool {
    self is CLRP1 || self is SGLRP
  }
}
