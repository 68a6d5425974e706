import RelevanceKit
import RelevanceTestSupport
import Testing

/// Methods compared with each other and with their definitions, on small networks.
@Suite struct MethodTests {
  private func trace(_ sample: SampleNetwork, batch: Int = 1) throws -> Trace {
    try sample.explainer().trace(SampleNetwork.input(batch: batch))
  }

  /// Every method on every network: a finite map with the size of the input, or with one channel for Grad-CAM and
  /// LayerCAM.
  @Test(arguments: SampleNetwork.allCases, MethodCatalog.general) func everyMethodReturnsAMap(
    sample: SampleNetwork, method: any AttributionMethod
  )
    throws
  {
    let trace = try trace(sample, batch: 2)
    for (target, found) in zip([3, 0], try trace.explain([.class(3), .class(0)], by: method)) {
      let isCAM = method is GradCAM || method is LayerCAM
      #expect(found.relevance.shape == (isCAM ? [2, 1, 12, 12] : [2, 3, 12, 12]))
      #expect(found.relevance.elements.allSatisfy { $0.isFinite })
      // A map of two items consists of the maps of each item.
      if method.name != "smoothgrad" && method.name != "random" {
        let first = try sample.explainer().trace(Tensor(joining: [SampleNetwork.input(batch: 2).item(0)]))
        let alone = try first.explain(.class(target), by: method)
        #expect(found.relevance.item(0).relativeDistance(from: alone.relevance.item(0)) <= 1e-4)
      }
      #expect(found.ledger.isEmpty != method.isRelevance)
    }
    #expect(Set(MethodCatalog.standard.methods.map(\.name)).count == MethodCatalog.standard.methods.count)
  }

  /// Gradients of the parts of a sum add up, and gradient × input is the product of both.
  @Test(arguments: SampleNetwork.allCases) func gradientTimesInput(sample: SampleNetwork) throws {
    let trace = try trace(sample)
    let gradient = try trace.explain(.class(2), by: .gradient).relevance
    let product = try trace.explain(.class(2), by: .gradientTimesInput).relevance
    #expect(product == gradient.combined(with: trace.input, *))
    #expect(gradient.largestMagnitude() > 0)
  }

  /// A small step along a gradient changes the logit by the predicted amount.
  @Test(arguments: SampleNetwork.allCases) func gradientsPredictChanges(sample: SampleNetwork) throws {
    let trace = try trace(sample)
    let executor = try Executor(sample.network())
    let gradient = try trace.explain(.class(2), by: .gradient).relevance
    let square = gradient.doubles.reduce(0) { $0 + $1 * $1 }
    let step = Float(1e-3 / square.squareRoot())
    let ahead = try executor.logits(trace.input.combined(with: gradient) { $0 + step * $1 })
    let behind = try executor.logits(trace.input.combined(with: gradient) { $0 - step * $1 })
    let change = (Double(ahead.elements[2]) - Double(behind.elements[2])) / (2 * Double(step))
    #expect(abs(change - square) <= 0.02 * square)
  }

  /// With more steps, integrated gradients approach the change of the logit; the explanation contains the difference.
  @Test func integratedGradientsAreComplete() throws {
    let trace = try trace(.flattened)
    let executor = try Executor(SampleNetwork.flattened.network())
    let start = try executor.logits(trace.input.map { _ in 0.5 })
    var errors: [Float] = []
    for steps in [1, 8, 128] {
      let found = try trace.explain(.class(4), by: IntegratedGradients(baseline: 0.5, steps: steps))
      let change = Double(trace.logits[0, 4] - start.elements[4])
      let error = try #require(found.completenessErrors?.first)
      #expect(abs(change - found.relevance.sum() - Double(error)) <= 1e-4 * abs(change))
      errors.append(abs(error) / Float(abs(change)))
    }
    #expect(errors[2] < errors[0] && errors[2] < 0.02, "\(errors)")
  }

  /// SmoothGrad is the mean of gradients at noisy inputs, and is reproducible.
  @Test func smoothGradIsAMeanOfGradients() throws {
    let explainer = try SampleNetwork.branched.explainer()
    let trace = try explainer.trace(SampleNetwork.input())
    let noise = (0..<3).map { Seeded.tensor(trace.input.shape, seed: 40 + $0, low: -0.2, high: 0.2) }
    var mean = Tensor(shape: trace.input.shape)
    for sample in noise {
      let noisy = try explainer.trace(trace.input.combined(with: sample, +))
      mean = mean.combined(with: try noisy.explain(.class(1), by: .gradient).relevance) { $0 + $1 / 3 }
    }
    #expect(
      try trace.smoothGradients(of: [.class(1)], noise: noise)[0].relativeDistance(from: mean) <= Tolerance.sameMap)
    func map(_ seed: UInt64) throws -> Tensor {
      try trace.explain(.class(1), by: SmoothGrad(samples: 4, deviation: 0.1, seed: seed)).relevance
    }
    #expect(try map(1) == map(1))
    #expect(try map(1) != map(2))
    let still = try trace.explain(.class(1), by: SmoothGrad(samples: 2, deviation: 0, seed: 0)).relevance
    let plain = try trace.explain(.class(1), by: .gradient).relevance
    #expect(still.relativeDistance(from: plain) <= Tolerance.sameMap)
  }

  @Test func randomMapsAreReproducible() throws {
    let trace = try trace(.flattened)
    func map(_ seed: UInt64) throws -> Tensor { try trace.explain(.class(1), by: RandomMap(seed: seed)).relevance }
    #expect(try map(1) == map(1))
    #expect(try map(1) != map(2))
    let values = try map(3).elements
    #expect(values.allSatisfy { (0..<1).contains($0) })
    #expect(abs(values.reduce(0, +) / Float(values.count) - 0.5) < 0.05)
  }

  /// LayerCAM at the positions where its map equals that of the layer, from the gradient that arrives there.
  @Test(arguments: ["conv1", "relu1", "conv2", "relu2"]) func layerCAM(layer: String) throws {
    let trace = try trace(.pooled)
    let walk = try Walk(SampleNetwork.pooled.network(), .gradient(), SampleNetwork.input())
    var seed = Tensor(shape: [1, 7])
    seed[0, 2] = 1
    let gradient = walk.relevance(from: "flatten", seed, to: layer)
    let values = walk.value(layer)
    let found = try trace.explain(.class(2), by: LayerCAM(layer: layer))
    let last = values.shape[2] - 1
    for (corner, place) in [(0, 0), (11, last)] {
      let sum = (0..<values.shape[1]).reduce(0.0) {
        $0 + Double(max(gradient[0, $1, place, place], 0)) * Double(values[0, $1, place, place])
      }
      #expect(abs(Double(found.relevance[0, 0, corner, corner]) - max(sum, 0)) <= 1e-4 * abs(sum) + 1e-6)
    }
    #expect(found.quantity == "logit, class activation" && found.method.description == "layer-cam:layer=\(layer)")
  }

  /// Grad-CAM according to its definition, from the gradient that arrives at the layer.
  @Test(arguments: ["conv2", "relu2"]) func gradCAM(layer: String) throws {
    let trace = try trace(.pooled)
    let walk = try Walk(SampleNetwork.pooled.network(), .gradient(), SampleNetwork.input())
    var seed = Tensor(shape: [1, 7])
    seed[0, 2] = 1
    let gradient = walk.relevance(from: "flatten", seed, to: layer).doubles
    let values = walk.value(layer).doubles
    var map = [Double](repeating: 0, count: 25)
    for channel in 0..<8 {
      let mean = gradient[channel * 25..<channel * 25 + 25].reduce(0, +) / 25
      for p in 0..<25 { map[p] += mean * values[channel * 25 + p] }
    }
    let found = try trace.explain(.class(2), by: GradCAM(layer: layer)).relevance
    // The center of a 12×12 map of a 5×5 map is between element centers.
    let at = { (y: Int, x: Int) in max(map[y * 5 + x], 0) }
    #expect(abs(Double(found[0, 0, 0, 0]) - at(0, 0)) <= 1e-4 * at(0, 0) + 1e-6)
    #expect(abs(Double(found[0, 0, 11, 11]) - at(4, 4)) <= 1e-4 * at(4, 4) + 1e-6)
    // Row 3 is at (3.5 · 5/12 − 0.5) = 0.958…, between rows 0 and 1.
    let part = 3.5 * 5 / 12 - 0.5
    let expected = at(0, 0) + part * (at(1, 0) - at(0, 0))
    #expect(abs(Double(found[0, 0, 3, 0]) - expected) <= 1e-4 * (at(0, 0) + at(1, 0)) + 1e-6)
    let guided = try trace.explain(.class(2), by: GuidedGradCAM(layer: layer)).relevance
    let backprop = try trace.explain(.class(2), by: .guidedBackprop).relevance
    for channel in 0..<3 {
      #expect(abs(guided[0, channel, 5, 6] - backprop[0, channel, 5, 6] * found[0, 0, 5, 6]) <= 1e-6)
    }
  }

  /// The default layer of Grad-CAM; see `CAMLayerTests`.
  @Test(arguments: [(SampleNetwork.flattened, "relu2"), (.branched, "sum"), (.pooled, "relu2"), (.signed, "bn")])
  func defaultLayers(sample: SampleNetwork, layer: String) throws {
    #expect(try trace(sample).defaultCAMLayer() == layer)
  }

  @Test func networksWithoutPositionsHaveNoCAM() throws {
    var builder = GraphBuilder(item: [4])
    builder.add("fc", .seededLinear(inputs: 4, outputs: 3, seed: 1))
    let trace = try Explainer(builder.network(), rules: .excitationBackprop).trace(Tensor(shape: [1, 4], repeating: 1))
    let error = #expect(throws: ExplanationError.self) { try trace.explain(.class(0), by: .gradCAM) }
    #expect(
      error?.description
        == "grad-cam needs a layer with height and width or with image tokens, but no layer before the logits has them"
    )
  }

  // MARK: Contrasts

  /// Against some classes: the dual is an explanation of the same score, distributed to these classes.
  @Test(arguments: SampleNetwork.allCases) func againstClasses(sample: SampleNetwork) throws {
    let trace = try trace(sample)
    let walk = try Walk(sample.network(), SampleNetwork.input())
    let name = walk.network.graph[walk.network.logits].name
    for (against, strength) in [([4], Float(1)), ([0, 5, 2], 2), ([4, 1], 0)] {
      var seed = Tensor(shape: [1, 7])
      let score = trace.logits[0, 1]
      seed[0, 1] = score
      let others = against.filter { $0 != 1 }
      for other in others { seed[0, other] -= strength * score / Float(others.count) }
      let expected = walk.relevance(from: name, seed)
      let found = try trace.explain(.class(1), by: CLRP1(against: .classes(against), strength: strength))
      #expect(found.signedRelevance.relativeDistance(from: expected) <= 1e-4)
    }
  }

  /// As in the authors' release: both maps are divided by their sums, and the dual starts with the magnitudes of the
  /// others' logits.
  @Test(arguments: SampleNetwork.allCases) func clrp1AsReleased(sample: SampleNetwork) throws {
    let trace = try trace(sample)
    let walk = try Walk(sample.network(), SampleNetwork.input())
    let name = walk.network.graph[walk.network.logits].name
    var own = Tensor(shape: [1, 7])
    own[0, 3] = trace.logits[0, 3]
    var dual = trace.logits.map { abs($0) }
    dual[0, 3] = 0
    func share(_ seed: Tensor) -> Tensor {
      let map = walk.relevance(from: name, seed)
      let sum = Float(map.sum())
      return map.map { $0 / sum }
    }
    let expected = share(own).combined(with: share(dual), -)
    let found = try trace.explain([.class(3), .class(0)], by: CLRP1(against: .logits))[0]
    #expect(
      found.signedRelevance.combined(with: expected, -).largestMagnitude() <= 1e-5 * share(own).largestMagnitude())
  }

  /// Seeds of softmax gradients add up to 0, and so do the maps if no relevance is absorbed.
  @Test func sglrpSeeds() throws {
    let trace = try trace(.flattened)
    let walk = try Walk(SampleNetwork.flattened.network(), SampleNetwork.input())
    let p = trace.predictions().sorted { $0.classIndex < $1.classIndex }.compactMap(\.probability)
    let seed = Tensor(shape: [1, 7], elements: p.indices.map { Float($0 == 5 ? p[5] * (1 - p[5]) : -p[5] * p[$0]) })
    let found = try trace.explain(.class(5), by: .sglrp)
    let expected = walk.relevance(from: "head", seed)
    #expect(found.signedRelevance.combined(with: expected, -).largestMagnitude() <= 1e-5 * expected.largestMagnitude())
    #expect(found.relevance == found.signedRelevance.positivePart)
  }

  /// Warns of seeds at all classes before a rule that divides by logits, which can be negative.
  @Test func warningsOfContrasts() throws {
    func warnings(_ sample: SampleNetwork, _ table: RuleTable, _ method: any AttributionMethod) throws -> [String] {
      method.warnings(under: try table.resolve(for: sample.network()))
    }
    let epsilon = RuleTable(name: "ε") {
      RuleTable.Row(.operators(.conv, .gemm), EpsilonRule())
      RuleTable.default(pixelRange: SampleNetwork.range)
    }
    for method in [.clrp1, CLRP1(against: .classes([1])), .sglrp] as [any AttributionMethod] {
      #expect(
        try warnings(.flattened, .epsilonPlus, method) == [
          "\(method.name) starts at all classes, and head divides by its logits under epsilon(epsilon: 1e-06), which "
            + "inverts the sign of evidence for classes with a negative logit; use zPlus for this node, or use clrp2"
        ])
      #expect(try warnings(.flattened, .default(pixelRange: SampleNetwork.range), method).isEmpty)
      #expect(try warnings(.pooled, epsilon, method).isEmpty, "a rectifier follows it")
    }
    for method in [.lrp, .clrp2, .gradient] as [any AttributionMethod] {
      #expect(try warnings(.flattened, epsilon, method).isEmpty)
    }
  }

  /// Excitation backpropagation distributes 1, and its contrast distributes 1 − 1.
  @Test(arguments: SampleNetwork.allCases) func excitationDistributesOne(sample: SampleNetwork) throws {
    let trace = try trace(sample)
    let best = trace.predictions()[0].classIndex
    let found = try trace.explain(.class(best), by: .excitationBackprop)
    #expect(abs(found.relevance.sum() - 1) <= 1e-4)
    let contrast = try trace.explain(.class(best), by: .contrastiveExcitationBackprop)
    #expect(abs(contrast.signedRelevance.sum()) <= 1e-4)
    #expect(contrast.relevance.sum() > 0)
  }
}
