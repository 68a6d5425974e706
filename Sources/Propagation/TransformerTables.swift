import RelevanceNetworks
import RelevanceTensors

/// Tables for networks that multiply tensors that both depend on the input, as attention does.
///
/// All of them absorb the shares of biases, and of constants that are added or joined, such as masks, class tokens and
/// position embeddings.
extension RuleTable {
  /// The rules of *Achtibat24*: half to each operand of a product, an expansion of attention's softmax, and ε on layers
  /// with weights.
  public static let attnLRP = RuleTable(name: "AttnLRP") {
    Row(.operators(.batchMatMul), MatrixProductRule(shares: .halves))
    Row(.operators(.softmax), SoftmaxRule())
    Row(.operators(.mul, live: 2), EqualSharesRule())
    transformer(linear: EpsilonRule(epsilon: 1e-9), convolutions: EpsilonRule(epsilon: 1e-9))
  }

  /// The rules of *Ali22*: attention is treated as a constant, so the values receive all relevance, and layers with
  /// weights have ε.
  public static let cpLRP = RuleTable(name: "CP-LRP") {
    constantAttention
    transformer(linear: EpsilonRule(epsilon: 1e-9), convolutions: EpsilonRule(epsilon: 1e-9))
  }

  /// The rules of `cpLRP` with γ on layers with weights, as for images in *Achtibat24*: the default for networks with
  /// attention.
  public static let viT = RuleTable(name: "ViT") {
    constantAttention
    transformer(linear: GeneralizedGammaRule(gamma: 0.05), convolutions: GeneralizedGammaRule(gamma: 0.25))
  }

  /// The default table for a network: `viT` if the network multiplies tensors that both depend on the input, otherwise
  /// `default`.
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
