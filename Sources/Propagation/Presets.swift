import RelevanceNetworks
import RelevanceTensors

extension RuleTable {
  /// The tables with names.
  private static let presets = [
    `default`(pixelRange: nil), paper(pixelRange: nil), epsilonPlus, epsilonPlusFlat, epsilonAlpha2Beta1,
    epsilonAlpha2Beta1Flat, epsilonGamma, epsilonGammaBox(pixelRange: nil), excitationBackprop, attnLRP, cpLRP, viT,
  ]
  /// The names of the preset tables.
  public static let presetNames = presets.map(\.name)

  /// The names of the preset tables with a rule for products of two tensors that both depend on the input.
  static let namesOfTablesForProducts = presets.filter { table in
    table.rows.contains { $0.selector.operators?.contains(.batchMatMul) ?? false }
  }.map(\.name)

  /// The preset table with a name, or nil if there is none. The case of letters is ignored, and hyphens can be omitted.
  public static func preset(_ name: String, pixelRange: PixelRange?) -> RuleTable? {
    func plain(_ name: String) -> String { name.lowercased().filter { $0 != "-" && $0 != "_" } }
    return presets.first { plain($0.name) == plain(name) }?.with(pixelRange: pixelRange)
  }

  /// The rules of *Gu18* §3.1, unchanged: z^B in the first layer, z⁺ above, winner-takes-all for max pooling, equal
  /// shares for averages, and normalization bypassed.
  public static func paper(pixelRange: PixelRange?) -> RuleTable {
    RuleTable(name: "paper", pixelRange: pixelRange) { contrastive(averages: EvenRule(), needsBox: true) }
  }

  /// The rules of the paper, except that averages distribute relevance in proportion to activations, and that the first
  /// layer has z⁺ if the range of its input is unknown. With equal shares, explanations of networks that end in global
  /// average pooling would lose position.
  public static func `default`(pixelRange: PixelRange?) -> RuleTable {
    RuleTable(name: "default", pixelRange: pixelRange) { contrastive(averages: ProportionalRule(), needsBox: false) }
  }

  private static func contrastive(averages: any Rule, needsBox: Bool) -> RuleTable {
    RuleTable(name: "") {
      Row(.operators(.conv, position: .first), ZBoxRule(), isOptional: !needsBox)
      Row(.operators(.conv, .gemm), ZPlusRule())
      Row(.operators(.maxPool), WinnerTakesAllRule(ties: .first))
      Row(.operators(.averagePool, .globalAveragePool, .reduceMean), averages)
      Row(.operators(.relu, .batchNormalization, .lrn, .dropout), PassRule())
      // An operator that the paper's networks do not contain, treated like a convolution.
      Row(.operators(.convTranspose), ZPlusRule())
      others
    }
  }

  // MARK: Published composites

  /// ε on fully connected layers, z⁺ on convolutions. *Kohlbrenner20*.
  public static let epsilonPlus = RuleTable(name: "EpsilonPlus") {
    composite(convolutions: ZPlusRule(bias: .absorbed))
  }

  /// The table `EpsilonPlus` with rule flat in the first layer.
  public static let epsilonPlusFlat = RuleTable(name: "EpsilonPlusFlat") {
    first(FlatRule())
    epsilonPlus
  }

  /// ε on fully connected layers, αβ with α = 2, β = 1 on convolutions. *Kohlbrenner20*.
  public static let epsilonAlpha2Beta1 = RuleTable(name: "EpsilonAlpha2Beta1") {
    composite(convolutions: AlphaBetaRule(alpha: 2, beta: 1))
  }

  /// The table `EpsilonAlpha2Beta1` with rule flat in the first layer.
  public static let epsilonAlpha2Beta1Flat = RuleTable(name: "EpsilonAlpha2Beta1Flat") {
    first(FlatRule())
    epsilonAlpha2Beta1
  }

  /// ε on fully connected layers, γ = ¼ on convolutions including the first: for inputs of unknown range. *Montavon19*.
  public static let epsilonGamma = RuleTable(name: "EpsilonGamma") {
    composite(convolutions: GeneralizedGammaRule(gamma: 0.25))
  }

  /// The table `EpsilonGamma` with z^B in the first layer. *Montavon19*.
  public static func epsilonGammaBox(pixelRange: PixelRange?) -> RuleTable {
    RuleTable(name: "EpsilonGammaBox", pixelRange: pixelRange) {
      first(ZBoxRule())
      epsilonGamma
    }
  }

  /// z⁺ on every layer with weights. *Zhang16*; the shares of positive biases are absorbed, as in Zennit's composite
  /// with this name.
  public static let excitationBackprop = RuleTable(name: "ExcitationBackprop") {
    Row(.operators(.conv, .gemm, .convTranspose), ZPlusRule(bias: .absorbed))
    unweighted
  }

  // MARK: Derivatives

  /// The derivative of every node: vanilla gradients with `gradient`, guided backpropagation with `guided`, and
  /// DeconvNet with `deconvolution`.
  public static func gradient(_ rectifier: GradientRule.Rectifier = .gradient) -> RuleTable {
    RuleTable(name: rectifier == .gradient ? "gradient" : "\(rectifier.rawValue)") {
      Row(Selector(), GradientRule(rectifier: rectifier))
    }
  }

  private static func first(_ rule: any Rule) -> Row {
    Row(.operators(.conv, .gemm, .convTranspose, position: .first), rule)
  }

  private static func composite(convolutions: any Rule) -> RuleTable {
    RuleTable(name: "") {
      Row(.operators(.gemm), EpsilonRule(epsilon: 1e-6))
      Row(.operators(.conv, .convTranspose), convolutions)
      unweighted
    }
  }

  private static let unweighted = RuleTable(name: "") {
    Row(.operators(.maxPool), WinnerTakesAllRule(ties: .first))
    Row(.operators(.averagePool, .globalAveragePool, .reduceMean), ProportionalRule())
    Row(.operators(.relu, .batchNormalization, .lrn, .dropout), PassRule())
    others
  }

  /// Rows for gates, extremes and sums over whole axes, differences and quotients of two values, other elementwise
  /// functions, and scaling and shifting by constants.
  static let others = RuleTable(name: "") {
    Row(.operators(.mul), SignalTakesAllRule(), isOptional: true)
    Row(.operators(.globalMaxPool, .reduceMax, .reduceMin), WinnerTakesAllRule(ties: .first))
    Row(.operators(.reduceSum), ProportionalRule())
    Row(.operators(.mul, .reduceProd), EqualSharesRule())
    Row(.operators(.sub, live: 2), ShareBySummandRule())
    Row(.operators(.div, .pow, live: 2), SignalTakesAllRule())
    Row(.operators(.max, .min, live: 2), WinnerTakesAllRule(ties: .first))
    Row(
      Selector(
        operators: Set(OperatorKind.all(.activation, .normalization, .function, .probability))
          .subtracting([.relu, .batchNormalization, .lrn]).union([.div, .sub, .neg, .pow, .max, .min])),
      PassRule())
  }
}
