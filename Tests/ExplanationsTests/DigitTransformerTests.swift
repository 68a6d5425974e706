import RelevanceKit
import RelevanceTestSupport
import Testing

/// Every method on a trained transformer, as in common use.
@Suite(.serialized) struct DigitTransformerTests {
  private static func trace(_ table: RuleTable? = nil) throws -> (trace: Trace, model: Model) {
    let model = try Model(contentsOf: Fixtures.path("digits/vit"))
    let input = try model.preprocessing.tensor(from: RGBImage(contentsOf: Fixtures.path("digits/scenes/005.png")))
    return (try Explainer(model, rules: table).trace(input), model)
  }

  /// Methods whose table has no rule for attention; their errors state this.
  private static let refused = ["excitation-backprop", "contrastive-excitation-backprop"]

  @Test(arguments: MethodCatalog.standard.methods) func mapsOfEveryMethod(method: any AttributionMethod) throws {
    let trace = try Self.trace().trace
    guard !Self.refused.contains(method.name) else {
      let error = #expect(throws: (any Error).self) { try trace.explain(.class(8), by: method) }
      #expect("\(try #require(error))".contains("expected a table with such a rule: AttnLRP, CP-LRP, ViT"))
      return
    }
    let targets = [Target.class(8), .class(0)]
    let maps = try trace.explain(targets, by: method)
    for (found, target) in zip(maps, targets) {
      #expect(found.target == target)
      #expect(found.relevance.isFinite && found.relevance.largestMagnitude() > 0)
      #expect(found.relevance.shape.dimensions.suffix(2) == [64, 64])
      let alone = try trace.explain(target, by: method)
      #expect(alone.signedRelevance.relativeDistance(from: found.signedRelevance) <= Tolerance.sameMap)
    }
    let isOfAttention = method is AttentionRollout || method is RandomMap
    #expect((maps[0].relevance == maps[1].relevance) == isOfAttention)
  }

  /// Units of tokens: a channel of all tokens, and a channel of a single token.
  @Test(arguments: ["unit:block2_norm2/5", "unit:block2_norm2/5@20", "unit:block3_fc1/17", "unit:patches/3@2,5"])
  func unitsOfTokens(text: String) throws {
    let trace = try Self.trace().trace
    let target = try #require(Target(text))
    for method in [LRP(), CLRP2(), GradientTimesInput(), GradCAM(layer: "patches")] as [any AttributionMethod] {
      if text.hasPrefix("unit:patches"), method is GradCAM { continue }
      if text.contains("norm"), method is CLRP2 {
        let error = #expect(throws: (any Error).self) { try trace.explain(target, by: method) }
        #expect("\(try #require(error))".hasPrefix("clrp2 negates the weights of the last layer before the target"))
        continue
      }
      let map = try trace.explain(target, by: method).relevance
      #expect(map.isFinite, "\(method)")
      #expect(method is GradCAM || map.largestMagnitude() > 0, "\(method)")
    }
  }

  @Test func activationMapsNameTheirLayer() throws {
    let (trace, _) = try Self.trace()
    #expect(try trace.defaultCAMLayer() == "block4_norm1")
    let found = try trace.explain(.class(8), by: .gradCAM)
    #expect(
      found.remarks == [
        "grad-cam uses layer block4_norm1 (LayerNormalization): 8×8 tokens; the first token, such as a class token, is "
          + "left out"
      ])
    // The same values in other axis orders: before the tokens are transposed, and as a map.
    func map(_ layer: String) throws -> Tensor { try GradCAM(layer: layer).layerMaps(of: [.class(8)], in: trace)[0] }
    let expected = try map("patches")
    for layer in ["patch_rows", "patch_tokens"] {
      #expect(try map(layer).relativeDistance(from: expected) <= Tolerance.sameMap)
    }
    for layer in ["block4_attention", "block4_query_heads", "class", "logits"] {
      #expect {
        try map(layer)
      } throws: {
        "\($0)".hasPrefix(
          "grad-cam needs a layer with height and width or with image tokens, but the output of node \(layer)")
      }
    }
  }

  @Test func constantsAreNamed() throws {
    for table in [RuleTable.attnLRP, .cpLRP, .viT] {
      let found = try Self.trace(table).trace.explain(.class(8))
      #expect(found.tokenShares.map(\.node) == ["position", "with_class"])
      #expect(found.tokenShares.map(\.kind) == [.positionEmbedding, .classToken])
      for share in found.tokenShares {
        #expect(share.amount == found.ledger[share.node]?.losses[.bias])
      }
      #expect(found.constantsRemark != nil)
    }
    let trace = try Self.trace().trace
    #expect(try trace.explain(.class(8), ledger: false).constantsRemark == nil)
    #expect(try trace.explain(.class(8), by: .clrp1).tokenShares.isEmpty)
    #expect(try SampleNetwork.branched.explainer().trace(SampleNetwork.input()).explain(.class(1)).tokenShares.isEmpty)
  }

  @Test func reasonsForMissingRelevance() throws {
    let plan = try Self.trace().trace.plan
    func reason(_ node: String) throws -> String { plan.reason(for: try plan.network.graph.requiredNode(named: node)) }
    for (node, kind) in [("block2_query", "Gemm"), ("block2_attention", "Softmax")] {
      #expect(
        try reason(node)
          == "\(node) (\(kind)): no rule, since no relevance arrives: block2_mixed under matrixProduct(shares: valuesOnly, "
          + "epsilon: 1e-09) treats its value as a constant and gives it no relevance")
    }
    #expect(try reason("class_token").hasSuffix("no relevance arrives: its value does not depend on the image"))
  }
}
