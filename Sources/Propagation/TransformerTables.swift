import RelevanceNetworks
import RelevanceTensors

/// Tables for networks in which tensors that both depend on the input are multiplied, as in attention.
///
/// Biases are absorbed in all of them; so are constants that are added or joined, such as masks, class tokens and position embeddings.
extension RuleTable {
  /// The rules of *Achtibat24*: half to each operand of a product, attention's softmax expanded, ε on layers with weights.
  public static let attnLRP = RuleTable(name: "AttnLRP") {
    Row(.operators(.batchMatMul), MatrixProductRule(shares: .halves))
    Row(.operators(.softmax), SoftmaxRule())
    Row(.operators(.mul, live: 2), EqualSharesRule())
    transformer(linear: EpsilonRule(epsilon: 1e-9), convolutions: EpsilonRule(epsilon: 1e-9))
  }

  /// The rules of *Ali22*: attention is a constant, so that values take all, and ε on layers with weights.
  public static let cpLRP = RuleTable(name: "CP-LRP") {
    constantAttention
    transformer(linear: EpsilonRule(epsilon: 1e-9), convolutions: EpsilonRule(epsilon: 1e-9))
  }

  /// The same with γ on layers with weights, as for images in *Achtibat24*: what networks with attention have by default.
  public static let viT = RuleTable(name: "ViT") {
    constantAttention
    transformer(linear: GeneralizedGammaRule(gamma: 0.05), convolutions: GeneralizedGammaRule(gamma: 0.25))
  }

  /// The table for a network when nobody asks for one: `viT` where tensors that both depend on the input are multiplied, else `default`.
  ///
  /// - Complexity: O(nodes and edges).
  public static func recommended(for network: NeuralNetwork, pixelRange: PixelRange?) -> RuleTable {
    let hasProducts = network.nodes(reaching: network.logits).contains { network.graph[$0].kind == .batchMatMul }
    return hasProducts ? viT.with(pixelRange: pixelRange) : .default(pixelRange: pixelRange)
  }

  private static let constantAttention = RuleTable(name: "") {
    Row(.operators(.batchMatMul), MatrixProductRule(shares: .valuesOnly))
    Row(.operators(.softmax), AbsorbRule())
    Row(.operators(.mul, live: 2), SignalTakesAllRule(), isOptional: true)
    Row(.operators(.mul, live: 2), EqualSharesRule())
  }

  private static func transformer(linear: any Rule, convolutions: any Rule) -> RuleTable {
    RuleTable(name: "") {
      Row(.operators(.gemm), linear)
      Row(.operators(.conv, .convTranspose), convolutions)
      Row(.operators(.batchNormalization), EpsilonRule(epsilon: 1e-9))
      Row(.operators(.averagePool, .globalAveragePool, .reduceMean, .reduceSum), EpsilonRule(epsilon: 1e-9))
      Row(.operators(.layerNormalization, .instanceNormalization, .groupNormalization), TaylorRule(epsilon: 1e-9))
      Row(.operators(.add, .sub), ShareBySummandRule(bias: .absorbed))
      Row(.operators(.maxPool), WinnerTakesAllRule(ties: .first))
      Row(.operators(.relu, .lrn, .dropout), PassRule())
      others
    }
  }
}
