import RelevanceKit
import RelevanceTestSupport
import Testing

/// Every parameter of every rule and method with the worst possible values: an error that names the parameter, or a
/// finite map.
@Suite struct WorstValuesTests {
  private static let numbers: [Float] = [
    .nan, .infinity, -.infinity, -1, -0.0, 0, .leastNonzeroMagnitude, 1e-30, 1e30, .greatestFiniteMagnitude,
  ]

  private static let methods: [any AttributionMethod] =
    numbers.flatMap { number in
      [
        CLRP1(strength: number), CLRP1(against: .logits, strength: number), CLRP2(strength: number),
        IntegratedGradients(baseline: number, steps: 1), SmoothGrad(samples: 1, deviation: number),
      ] as [any AttributionMethod]
    }
    + [Int.min, -1, 0].flatMap { count in
      [IntegratedGradients(steps: count), SmoothGrad(samples: count)] as [any AttributionMethod]
    }
    + [[], [-1], [99], [0], [.max]].map { CLRP1(against: .classes($0)) }
    + ["", "nowhere", "head", "x"].flatMap { layer in
      [GradCAM(layer: layer), LayerCAM(layer: layer), GuidedGradCAM(layer: layer)] as [any AttributionMethod]
    }
    + [RandomMap(seed: .max), SmoothGrad(samples: 1, seed: .max)]

  @Test func methods() throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    var (refused, explained) = (0, 0)
    for method in Self.methods {
      do {
        let map = try trace.explain(.class(0), by: method)
        #expect(map.relevance.isFinite, "\(method)")
        explained += 1
      } catch let error as any RelevanceKitError {
        #expect(error.description.count < 300 && !error.description.contains("\n"), "\(method)")
        refused += 1
      }
    }
    #expect(refused > 40 && explained > 15, "\(refused), \(explained)")
  }

  @Test func targets() throws {
    let extremes = [Int.min, -1, 0, 7, 1 << 40, .max]
    for trace in try [
      SampleNetwork.flattened.explainer().trace(SampleNetwork.input()), Self.dense().trace(SampleNetwork.input()),
    ] {
      for a in extremes {
        var targets: [Target] = [.class(a), .top(a), .region(a), .unit(node: "conv1", channel: a)]
        for b in extremes {
          targets += [.class(0, at: [a, b]), .class(a, at: [b]), .unit(node: "conv1", channel: 0, position: [a, b])]
          targets += [
            .unit(node: "conv1", channel: a, position: [b]), .class(a, at: []),
            .unit(node: "", channel: a, position: []),
          ]
        }
        for target in targets {
          do { #expect(try trace.explain(target).relevance.isFinite, "\(target)") } catch let error
            as any RelevanceKitError
          {
            #expect(error.description.count < 300, "\(target)")
          }
        }
        #expect(throws: (any Error).self) { try trace.predictions(ofItem: 0, at: [a, a, a]) }
      }
    }
  }

  /// A network with a class for each pixel.
  private static func dense() throws -> Explainer {
    var builder = GraphBuilder(item: [3, 12, 12])
    builder.add("conv1", try .seededConvolution(inputs: 3, outputs: 5, kernel: [3, 3], seed: 1))
    builder.add("relu1", .relu)
    builder.add("head", try .seededConvolution(inputs: 5, outputs: 4, kernel: [1, 1], seed: 2))
    return try Explainer(builder.network(), rules: .default(pixelRange: SampleNetwork.range))
  }

  @Test(arguments: [Int.min, -1, 0, 1025, .max]) func threads(count: Int) throws {
    let network = try SampleNetwork.flattened.explainer().network
    let error = #expect(throws: (any Error).self) { try Explainer(network, threads: count) }
    #expect((error as? any RelevanceKitError)?.description == "\(count) threads; expected a number from 1 to 1024")
    let executor = Executor(network, threads: count)
    #expect(executor.threads == 1)
    #expect(throws: (any Error).self) { try executor.logits(SampleNetwork.input()) }
  }

  @Test func manyThreadsComputeTheSame() throws {
    let network = try SampleNetwork.flattened.explainer().network
    let input = SampleNetwork.input()
    let expected = try Executor(network, threads: 1).logits(input)
    let executor = Executor(network, threads: 1024)
    #expect(executor.threads >= 16 && executor.threads <= 1024)
    for _ in 0..<50 { #expect(try executor.logits(input) == expected) }
  }

  @Test func invalidStrengthIsNamed() throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    func refusal(_ method: any AttributionMethod) -> String? {
      (#expect(throws: (any Error).self) { try trace.explain(.class(0), by: method) } as? any RelevanceKitError)?
        .description
    }
    #expect(refusal(CLRP1(strength: .nan)) == "method clrp1: found strength nan; expected a number of at least 0")
    #expect(
      refusal(SmoothGrad(samples: 0)) == "method smoothgrad: found samples 0; expected a whole number from 1 to 1000000"
    )
    #expect(
      refusal(CLRP1(against: .classes([])))
        == "clrp1 contrasts with an empty list of classes; expected at least one class, or .others for all")
  }

  @Test func rules() throws {
    let network = try SampleNetwork.flattened.network()
    let trace = try Explainer(network).trace(SampleNetwork.input())
    let lab = RuleLab(trace)
    var refused = 0
    for number in Self.numbers {
      let rules: [any Rule] = [
        EpsilonRule(epsilon: number), GammaRule(gamma: number), GeneralizedGammaRule(gamma: number),
        TaylorRule(epsilon: number),
        AlphaBetaRule(alpha: number, beta: number), AlphaBetaRule(alpha: number + 1, beta: number),
        ZBoxRule(box: .scalar(lower: number, upper: 1)), ZBoxRule(box: .channels(lower: [number], upper: [])),
      ]
      for rule in rules {
        let table = RuleTable(
          name: "one", rows: [.init(.name("conv1"), rule)] + RuleTable.default(pixelRange: nil).rows)
        for body in [
          { _ = try Explainer(network, rules: table).trace(SampleNetwork.input()).explain(.class(0)) },
          { _ = try trace.using(rule, at: "conv1").explain(.class(0)) },
          { _ = try lab.experiment([rule], at: "conv1", seed: .channel(0)) },
        ] as [() throws -> Void] {
          do { try body() } catch let error as any RelevanceKitError {
            #expect(error.description.count < 400, "\(rule)")
            refused += 1
          }
        }
      }
    }
    #expect(refused > 100)
  }

  @Test func rangesAndPreprocessing() throws {
    let network = try SampleNetwork.flattened.network()
    let image = RGBImage(width: 20, height: 15, filledWith: .white)
    for number in Self.numbers {
      for range in [
        PixelRange(lower: [number], upper: [1]), PixelRange(lower: [0, 0, 0], upper: [1, number, 1]),
        PixelRange(lower: [], upper: [number]), PixelRange(lower: [0, 0], upper: [number, 1]),
      ] {
        let explanation = try? Explainer(network, rules: .default(pixelRange: range)).trace(SampleNetwork.input())
          .explain(.class(0))
        if let explanation { #expect(explanation.relevance.isFinite, "\(range)") }
      }
      for preprocessing in [
        Preprocessing(rescaleFactor: Double(number)), Preprocessing(mean: [Double(number), 0, 0]),
        Preprocessing(standardDeviation: [1, Double(number), 1]), Preprocessing(mean: [Double(number)]),
      ] {
        if let tensor = try? preprocessing.tensor(from: image) { #expect(tensor.isFinite) }
        _ = try? Explainer(network, preprocessing: preprocessing)
      }
    }
    for side in [Int.min, -1, 0, 1 << 40, .max] {
      for preprocessing in [
        Preprocessing(resize: .shortestEdge(side)), Preprocessing(resize: .exact(width: side, height: 3)),
        Preprocessing(resize: .longestEdge(side)), Preprocessing(crop: .init(width: 3, height: side)),
      ] {
        #expect(throws: (any Error).self) { try preprocessing.tensor(from: image) }
      }
    }
    #expect(throws: (any Error).self) {
      try Preprocessing.imageNet.tensor(from: RGBImage(width: 0, height: 0, filledWith: .white))
    }
  }

  @Test func mapsAndScales() throws {
    let map = Tensor(shape: [1, 3, 4, 4], repeating: 0.5)
    for number in Self.numbers {
      for scale in [HeatmapScale.percentile(Double(number)), .fixed(number)] {
        if let heatmap = try? Heatmap(map, scale: scale) {
          _ = heatmap.overlay(on: RGBImage(width: 9, height: 9, filledWith: .white))
        }
      }
      _ = try? SaliencyMap(height: 1, width: 1, values: [number])
      _ = try? Heatmap(map.map { _ in number }).image()
    }
    for side in [Int.min, 0, 1 << 20, .max] {
      #expect(throws: (any Error).self) { try Heatmap(map).image(pixelsPerPosition: side) }
    }
    for shape: TensorShape in [[], [4], [2, 3, 4, 4], [0, 4], [1, 1, 3, 4, 4]] {
      #expect(throws: (any Error).self) { try Heatmap(Tensor(shape: shape)) }
    }
    #expect(throws: (any Error).self) { try Tensor(dimensions: [-1, 2], elements: []) }
    #expect(throws: (any Error).self) { try Tensor(dimensions: [.max, .max], elements: []) }
    #expect(throws: (any Error).self) { try Tensor(dimensions: [2], elements: [1]) }
  }

  @Test func studies() throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    for (count, side) in [(Int.min, 9), (1, 9), (3, 0), (3, 2), (3, -1), (.max, 9), (3, .max)] {
      var options = UnitStudy.Options()
      (options.count, options.patchSide) = (count, side)
      if side == .max { continue }
      #expect(throws: (any Error).self) { try UnitStudy(trace, at: "fc", options: options) }
    }
    let batch = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input(batch: 2))
    #expect(throws: (any Error).self) { try UnitStudy(batch, at: "fc") }
  }
}
