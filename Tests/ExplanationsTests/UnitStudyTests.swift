import RelevanceKit
import RelevanceTestSupport
import Testing

/// The study of units on networks whose units respond to known regions.
@Suite struct UnitStudyTests {
  private static let side = CornerNetwork.side

  /// The activation of a unit of the corner network, according to its definition.
  private static func activation(of unit: Int, for x: Tensor) -> Double {
    let (weights, pixels) = (CornerNetwork.weight.doubles, x.doubles)
    return max(0, pixels.indices.reduce(0) { $0 + max(0, pixels[$1]) * weights[unit * pixels.count + $1] })
  }

  @Test func theMostActiveUnitsOfALayer() throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    let walk = try Walk(SampleNetwork.flattened.network(), SampleNetwork.input())
    for node in ["relu2", "conv2", "relu3", "fc"] {
      let values = walk.value(node)
      let positions = values.count / values.shape[1]
      let expected = (0..<values.shape[1]).map { channel -> (channel: Int, place: Int, value: Float) in
        let plane = values.elements[channel * positions..<(channel + 1) * positions]
        let largest = plane.max()!
        return (channel, plane.firstIndex(of: largest)! - plane.startIndex, largest)
      }.filter { $0.value > 0 }.sorted { $0.value > $1.value }
      let found = try trace.mostActiveUnits(at: node, count: .max)
      #expect(found.map(\.channel) == expected.map(\.channel), "\(node)")
      for (unit, expected) in zip(found, expected) {
        #expect(abs(unit.activation - expected.value) <= 1e-5 * expected.value)
        #expect(unit.position == (positions == 1 ? [] : [expected.place / 4, expected.place % 4]))
        #expect(try trace.explain(unit.target).score == unit.activation)
      }
      #expect(try trace.mostActiveUnits(at: node, count: 3) == Array(found.prefix(3)))
    }
  }

  /// Each unit loses most by the patch in its own corner; units that respond to the same corner form a group.
  @Test(arguments: ["fc", "relu2"]) func cornersAreDistinguished(layer: String) throws {
    let trace = try CornerNetwork.explainer().trace(CornerNetwork.input())
    var options = UnitStudy.Options()
    options.patchSide = 3
    let study = try UnitStudy(trace, at: layer, options: options)
    #expect(study.units.count == 8)
    for (index, unit) in study.units.enumerated() {
      let corner = CornerNetwork.corner(of: unit.channel)
      let center = try #require(study.ablation.centers[index])
      #expect(corner.rows.contains(center.row) && corner.columns.contains(center.column))
      for (other, another) in study.units.enumerated() where another.channel % 4 != unit.channel % 4 {
        #expect(study.ablation.drops[index, other] < 0)
        #expect(study.ablation.drops[index, index] > 0)
        #expect(study.clusters.groups[index] != study.clusters.groups[other])
        #expect(study.similarity[index, other] == 0)
      }
      let twin = try #require(study.units.firstIndex { $0.channel == (unit.channel + 4) % 8 })
      #expect(study.clusters.groups[index] == study.clusters.groups[twin])
      #expect(study.similarity[index, twin] > 0.95)
    }
    #expect(study.clusters.count == 4)
    #expect(study.ablation.meanOwnDrop > 0.1 && study.ablation.meanOtherDrop < 0.1)
    for group in 0..<4 { #expect(study.cohesion(ofGroup: group) > 0.95) }
    let (own, others) = (study.meanDrop(byPatchesOfOwnGroup: true), study.meanDrop(byPatchesOfOwnGroup: false))
    #expect(try #require(own) > 0.08 && #require(others) < 0)
    // 8 pairs within groups and 48 pairs across groups are off the diagonal.
    #expect(abs((own! * 8 + others! * 48) / 56 - study.ablation.meanOtherDrop) < 1e-9)
  }

  /// Four units, each with its own corner: the diagonal is the largest value in every row.
  @Test func theDiagonalDominates() throws {
    let trace = try CornerNetwork.explainer().trace(CornerNetwork.input())
    var options = UnitStudy.Options()
    options.count = 4
    let study = try UnitStudy(trace, at: "relu2", options: options)
    #expect(Set(study.units.map(\.channel)) == [0, 1, 2, 3])
    #expect(study.ablation.ownShare == 1 && study.ablation.ablated == 4)
    #expect((0..<4).allSatisfy(study.ablation.isMostHurtByOwn))
    #expect(study.clusters.groups == [0, 1, 2, 3])
    #expect(study.ablation.largestOther(of: 0)!.drop < 0)
    #expect(study.meanDrop(byPatchesOfOwnGroup: true) == nil)
    #expect(study.meanDrop(byPatchesOfOwnGroup: false) == study.ablation.meanOtherDrop)
  }

  /// Drops match the definitions for an image whose patch the test replaces.
  @Test(arguments: [1, 3, 9]) func dropsMatchTheDefinition(patchSide: Int) throws {
    let x = CornerNetwork.input()
    let trace = try CornerNetwork.explainer().trace(x)
    let image = Seeded.tensor(x.shape, seed: 5, low: 0, high: 1)
    for (replacement, value) in [
      (.mean, { _, _, _ in 0 }), (.pixel([0.2, 0.4, 0.6]), { channel, _, _ in [0.2, 0.4, 0.6][channel] }),
      (.image(image), { channel, row, column in image[0, channel, row, column] }),
    ] as [(PatchAblation.Replacement, (Int, Int, Int) -> Float)] {
      var options = UnitStudy.Options()
      options.patchSide = patchSide
      options.replacement = replacement
      let study = try UnitStudy(trace, at: "relu2", options: options)
      for (ablation, method) in [(study.ablation, .clrp2), (study.lrpAblation, .lrp)]
        as [(PatchAblation, any AttributionMethod)]
      {
        for (index, unit) in study.units.enumerated() {
          let map = try trace.explain(unit.target, by: method).relevance
          let sums = (0..<Self.side * Self.side).map { place in
            (0..<3).reduce(Float(0)) { $0 + map.elements[$1 * Self.side * Self.side + place] }
          }
          let largest = sums.firstIndex(of: sums.max()!)!
          let (row, column) = (largest / Self.side, largest % Self.side)
          #expect(ablation.centers[index]! == (row, column))
          var ablated = x
          for channel in 0..<3 {
            for y in max(0, row - patchSide / 2)...min(Self.side - 1, row + patchSide / 2) {
              for x in max(0, column - patchSide / 2)...min(Self.side - 1, column + patchSide / 2) {
                ablated[0, channel, y, x] = value(channel, y, x)
              }
            }
          }
          for (other, another) in study.units.enumerated() {
            let whole = Self.activation(of: another.channel, for: x)
            let expected = (whole - Self.activation(of: another.channel, for: ablated)) / whole
            #expect(abs(Double(ablation.drops[index, other]) - expected) <= Tolerance.logits)
          }
        }
      }
    }
  }

  /// Inputs are run one by one, in batches that fit into memory, or all at once, on one thread or two.
  @Test func batchesAndThreadsMakeNoDifference() throws {
    let expected = try UnitStudy(CornerNetwork.explainer(threads: 1).trace(CornerNetwork.input()), at: "relu2")
    let again = try UnitStudy(CornerNetwork.explainer(threads: 2).trace(CornerNetwork.input()), at: "relu2")
    #expect(again.ablation.drops.bits == expected.ablation.drops.bits)
    #expect(again.similarity.bits == expected.similarity.bits)
    #expect(again.clusters.groups == expected.clusters.groups)
    #expect(again.clusters.eigenvalues == expected.clusters.eigenvalues)
    for (fixesBatch, memoryBudget) in [(true, 1 << 30), (false, 1), (false, 60_000)] {
      let explainer = try CornerNetwork.explainer(fixesBatch: fixesBatch, memoryBudget: memoryBudget)
      let found = try UnitStudy(explainer.trace(CornerNetwork.input()), at: "relu2")
      #expect(found.units.map(\.channel) == expected.units.map(\.channel))
      #expect(found.ablation.patches == expected.ablation.patches)
      let difference = found.ablation.drops.combined(with: expected.ablation.drops, -)
      #expect(Double(difference.largestMagnitude()) <= Tolerance.logits)
      #expect(found.clusters.groups == expected.clusters.groups)
    }
  }

  /// Units of a convolution are represented by the position of their largest activation, and their drop is measured
  /// there.
  @Test func unitsWithPositions() throws {
    let x = SampleNetwork.input()
    let trace = try SampleNetwork.flattened.explainer().trace(x)
    var options = UnitStudy.Options()
    options.count = 4
    options.patchSide = 3
    let study = try UnitStudy(trace, at: "relu2", options: options)
    for row in 0..<4 {
      var ablated = x
      let patch = try #require(study.ablation.patches[row])
      for channel in 0..<3 { for y in patch.rows { for x in patch.columns { ablated[0, channel, y, x] = 0 } } }
      let values = try Walk(SampleNetwork.flattened.network(), ablated).value("relu2")
      for (column, unit) in study.units.enumerated() {
        let left = values[0, unit.channel, unit.position[0], unit.position[1]]
        #expect(abs(study.ablation.drops[row, column] - (unit.activation - left) / unit.activation) <= 1e-4)
      }
    }
  }

  /// A unit that is active only because of its bias has no patch, and its row does not count.
  @Test func unitsWithoutPatches() throws {
    var builder = GraphBuilder(item: [3, 12, 12])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 2, kernel: [3, 3], bias: false, seed: 1))
    builder.add("relu", .relu)
    builder.add("flatten", .flatten(axis: 1))
    var weight = Seeded.tensor([3, 200], seed: 2, low: 0, high: 1)
    for i in 0..<200 { weight[1, i] = 0 }
    builder.add("fc", .linear(Linear(weight: weight, bias: Tensor(shape: [3], elements: [0, 1000, 0]))))
    builder.add("head", .seededLinear(inputs: 3, outputs: 2, seed: 3))
    let explainer = try Explainer(builder.network(), rules: .default(pixelRange: SampleNetwork.range))
    var options = UnitStudy.Options()
    options.count = 3
    let study = try UnitStudy(explainer.trace(SampleNetwork.input()), at: "fc", options: options)
    #expect(study.units[0].channel == 1 && study.units[0].activation == 1000)
    #expect(study.ablation.patches[0] == nil && study.ablation.ablated == 2)
    #expect((0..<3).allSatisfy { study.ablation.drops[0, $0] == 0 && study.ablation.drops[$0, 0] == 0 })
    #expect(study.ablation.largestOther(of: 0) == nil)
    #expect(study.clusters.groups[0] != study.clusters.groups[1])
  }

  @Test func impossibleStudiesAreErrors() throws {
    func error(
      _ sample: SampleNetwork, _ node: String, _ change: (inout UnitStudy.Options) -> Void = { _ in }
    ) throws -> String? {
      let trace = try sample.explainer().trace(SampleNetwork.input())
      var options = UnitStudy.Options()
      options.count = 2
      change(&options)
      let error = #expect(throws: (any Error).self) { try UnitStudy(trace, at: node, options: options) }
      return (error as? any RelevanceKitError)?.description
    }
    let negates = "clrp2 negates the weights of the last layer before a unit, but"
    #expect(try error(.flattened, "rely2") == "rely2: the network has no such node; did you mean relu2?")
    #expect(
      try error(.flattened, "x")
        == "no relevance can reach the input from node x; expected a node between the input and the logits")
    #expect(try error(.flattened, "pool") == "\(negates) node pool has operator MaxPool; try relu1, a layer before it")
    #expect(try error(.branched, "join") == "\(negates) node join has operator Concat; try reluA, a layer before it")
    let active = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
      .mostActiveUnits(at: "relu2", count: 8).count
    #expect(
      try error(.flattened, "relu2") { $0.count = 9 }
        == "node relu2: expected 9 active units, found \(active) above zero")
    #expect(
      try error(.flattened, "relu2") { $0.replacement = .pixel([0]) }
        == "the replacement of patches has shape 1×1×1×1; expected 1×3×12×12, the shape of the input")
    #expect(
      try error(.flattened, "relu2") { $0.replacement = .image(Tensor(shape: [1, 3, 8, 8])) }
        == "the replacement of patches has shape 1×3×8×8; expected 1×3×12×12, the shape of the input")

    var builder = GraphBuilder(item: [3, 12, 12])
    builder.add("conv", try .seededConvolution(inputs: 3, outputs: 4, kernel: [3, 3], seed: 1))
    builder.add("pool", .maxPool(try Window(kernel: [2, 2], strides: [2, 2])))
    builder.add("flatten", .flatten(axis: 1))
    builder.add("head", .seededLinear(inputs: 100, outputs: 2, seed: 3))
    let trace = try Explainer(builder.network(), rules: .default(pixelRange: SampleNetwork.range)).trace(
      SampleNetwork.input())
    let expected = UnitStudyError.noContrast(
      node: "flatten", between: "pool", operator: "MaxPool", suggestion: "conv")
    #expect(throws: expected) { try UnitStudy(trace, at: "flatten") }
    #expect(
      expected.description
        == "\(negates) node pool (MaxPool) is between this layer and node flatten; try conv, a layer before it")
  }
}
