import RelevanceKit
import RelevanceTestSupport
import Testing

/// The convolution kernel, against loops over its definition in double precision.
@Suite struct ConvolutionTests {
  @Test(arguments: ConvolutionCase.all)
  func productsMatchTheDefinition(of one: ConvolutionCase) throws {
    let (layer, oracle, bias) = try Self.layer(one)
    let x = Seeded.tensor(one.input, seed: 1)
    var products: [WeightPart: [Double]] = [:]
    for part in [WeightPart.all, .positive, .negative] { products[part] = oracle.product(part, x.doubles) }
    let perChannel = oracle.outputCount / one.outputs
    let sums = products[.all]!.enumerated().map { index, value in
      value + (bias.map { $0[index / perChannel % one.outputs] } ?? 0)
    }
    let output = layer.forward(x)
    #expect(output.shape.dimensions == [one.batch] + oracle.outputItem)
    #expect(output.largestDifference(from: sums) <= Tolerance.singlePrecision)
    #expect(layer.forward(x, rectifies: true) == output.positivePart)

    let both = layer.forwardWithSideProduct(x)
    #expect(both.output == output)
    #expect(both.sideProduct.largestDifference(from: products[.positive]!) <= Tolerance.singlePrecision)
    #expect(layer.forwardWithSideProduct(x, rectifies: true).output == output.positivePart)

    for part in [WeightPart.all, .positive, .negative] {
      #expect(layer.product(part, x).largestDifference(from: products[part]!) <= Tolerance.singlePrecision, "\(part)")
    }
    let start = Seeded.tensor(output.shape, seed: 2)
    let added = zip(start.doubles, products[.negative]!).map(+)
    #expect(layer.product(.negative, x, addedTo: start).largestDifference(from: added) <= Tolerance.singlePrecision)
  }

  @Test(arguments: ConvolutionCase.all)
  func adjointsMatchTheDefinition(of one: ConvolutionCase) throws {
    let (layer, oracle, _) = try Self.layer(one)
    let x = Seeded.tensor(one.input, seed: 1)
    for seeds in [1, 3] {
      let s = Seeded.tensor(TensorShape([one.batch * seeds] + oracle.outputItem), seed: 3)
      for part in [WeightPart.all, .positive, .negative] {
        let expected = oracle.adjoint(part, s.doubles)
        let found = layer.adjoint(part, s, seeds: seeds)
        #expect(found.shape.dimensions == [one.batch * seeds, one.inputs] + one.extents)
        #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision, "\(part), \(seeds) seeds")

        let item = one.input.count / one.batch
        let factors = x.doubles
        let multiplied = expected.indices.map { expected[$0] * factors[$0 / item / seeds * item + $0 % item] }
        #expect(
          layer.adjoint(part, s, seeds: seeds, factor: x).largestDifference(from: multiplied)
            <= Tolerance.singlePrecision,
          "\(part), \(seeds) seeds, with a factor")
      }
    }
  }

  @Test
  func flatMaps() throws {
    try productsMatchTheDefinition(of: .flat)
    try adjointsMatchTheDefinition(of: .flat)
  }

  /// ⟨W·x, s⟩ = ⟨x, Wᵀ·s⟩ for the kernel alone.
  @Test(arguments: ConvolutionCase.sizes)
  func theAdjointIsATranspose(of one: ConvolutionCase) throws {
    let (layer, oracle, _) = try Self.layer(one)
    let x = Seeded.tensor(one.input, seed: 1)
    let s = Seeded.tensor(TensorShape([one.batch] + oracle.outputItem), seed: 3)
    for part in [WeightPart.all, .positive, .negative] {
      let forward = zip(layer.product(part, x).doubles, s.doubles).map(*)
      let backward = zip(x.doubles, layer.adjoint(part, s, seeds: 1).doubles).map(*)
      let scale = forward.reduce(0) { $0 + abs($1) }
      #expect(abs(forward.reduce(0, +) - backward.reduce(0, +)) <= Tolerance.singlePrecision * scale, "\(part)")
    }
  }

  @Test(arguments: ConvolutionCase.sizes + ConvolutionCase.sequences)
  func bitsDoNotDependOnThreads(of one: ConvolutionCase) throws {
    let x = Seeded.tensor(one.input, seed: 1)
    func results(threads: Int) throws -> [[UInt32]] {
      let layer = try WeightedLayer(one.operation, input: one.input, threads: threads, convolution: one.algorithm)
      let both = layer.forwardWithSideProduct(x, rectifies: true)
      let shape = both.output.shape
      let s = Seeded.tensor(shape.withBatch(shape[0] * 3), seed: 3)
      return [
        both.output, both.sideProduct, layer.product(.negative, x), layer.adjoint(.positive, s, seeds: 3, factor: x),
      ]
      .map(\.bits)
    }
    let expected = try results(threads: 1)
    for threads in [2, 3, 5] { #expect(try results(threads: threads) == expected, "\(threads) threads") }
  }

  @Test func moreThanTwoSpatialAxesAreAnError() throws {
    let operation = try Convolution.seededConvolution(inputs: 1, outputs: 1, kernel: [1, 1, 1], seed: 1)
    let error = #expect(throws: ExecutionError.self) { try WeightedLayer(operation, input: [1, 1, 2, 2, 2]) }
    #expect(
      error?.description
        == "convolution and pooling support one or two spatial axes; the operand has shape 1×1×2×2×2")
  }

  private static func layer(
    _ one: ConvolutionCase
  ) throws -> (layer: WeightedLayer, oracle: NaiveConvolution, bias: [Double]?) {
    guard let convolution = try one.operation as? Convolution else { preconditionFailure("a case is a convolution") }
    let layer = try WeightedLayer(.convolution(convolution), input: one.input, convolution: one.algorithm)
    return (layer, NaiveConvolution(convolution, item: [one.inputs] + one.extents), convolution.bias?.doubles)
  }
}
