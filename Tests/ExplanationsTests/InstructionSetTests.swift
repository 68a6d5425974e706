import RelevanceKit
import RelevanceTestSupport
import Testing

/// The vector instructions of kernels: results agree up to single-precision rounding.
@Suite struct InstructionSetTests {
  private static let scene = Fixtures.path("digits/scenes/005.png")

  @Test(arguments: ["alexnet", "vgg", "googlenet"], ConvolutionAlgorithm.allCases)
  func digitNetworksAgree(name: String, convolution: ConvolutionAlgorithm) throws {
    let model = try Model(contentsOf: Fixtures.path("digits/\(name)"))
    let input = try model.preprocessing.tensor(from: RGBImage(contentsOf: Self.scene))
    func results(_ set: InstructionSet) throws -> [Tensor] {
      let table = RuleTable.default(pixelRange: model.preprocessing.pixelRange)
      let explainer = try Explainer(
        model.network, rules: table, convolution: convolution, instructionSet: set)
      #expect(explainer.executor.instructionSet == set)
      let trace = try explainer.trace(input)
      let maps = try trace.explain([.class(4), .class(1)], by: .lrp).map(\.relevance)
      let executor = Executor(model.network, convolution: convolution, instructionSet: set)
      #expect(try executor.logits(input).relativeDistance(from: trace.logits) <= Tolerance.sameMap)
      return [trace.logits] + maps
    }
    let expected = try results(.generic)
    for set in InstructionSet.available.dropFirst() {
      for (found, expected) in zip(try results(set), expected) {
        let distance = found.relativeDistance(from: expected)
        #expect(distance <= Tolerance.sameMap, "\(set.rawValue)")
        // Multiply-adds are rounded once, not twice, in the package's own loops, so different results show that the set
        // was used.
        if name == "vgg" { #expect(distance > 0, "\(set.rawValue)") }
      }
    }
  }

  @Test func availableSetsBeginWithTheSmallest() {
    #expect(InstructionSet.available == InstructionSet.available.sorted())
    #expect(InstructionSet.available.first == .generic)
    #expect(InstructionSet.available.contains(.preferred))
  }

  /// The errors of processors that lack a set, including sets that this processor supports.
  @Test func unsupportedSetsAreRejected() throws {
    for (available, names) in [([.generic], "generic"), ([.generic, .avx2], "generic, avx2")]
      as [([InstructionSet], String)]
    {
      let (_, fault) = InstructionSet.choice(for: .avx512, among: available)
      #expect(fault?.description == "this processor does not support avx512; expected one of \(names)")
      #expect(fault?.category == .usage)
      #expect(InstructionSet.choice(for: .generic, among: available).fault == nil)
    }
  }

  /// A network is not run with another set than the requested one.
  @Test(.enabled(if: InstructionSet.available.count < InstructionSet.allCases.count, "the processor has all sets"))
  func anExecutorThrows() throws {
    let missing = try #require(InstructionSet.allCases.last)
    let network = try SampleNetwork.branched.network()
    #expect {
      try Executor(network, instructionSet: missing).logits(SampleNetwork.input())
    } throws: { ($0 as? any RelevanceKitError)?.category == .usage }
    #expect { try Explainer(network, instructionSet: missing) } throws: {
      ($0 as? any RelevanceKitError)?.category == .usage
    }
  }
}
