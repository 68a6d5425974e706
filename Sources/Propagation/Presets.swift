import Networks
import Tensors

extension RuleTable {
  /// The tables that can be asked for by name.
  public static let presetNames = ["default", "paper"]

  /// The table with a preset's name, or nil if there is none.
  public static func preset(_ name: String, pixelRange: PixelRange?) -> RuleTable? {
    switch name {
    case "default": .default(pixelRange: pixelRange)
    case "paper": .paper(pixelRange: pixelRange)
    default: nil
    }
  }

  /// The rules of *Gu18* §3.1, verbatim: z^B below, z⁺ above, winner takes all, even averages, normalisation bypassed.
  public static func paper(pixelRange: PixelRange?) -> RuleTable {
    RuleTable(name: "paper", rows: rows(averages: Even()), pixelRange: pixelRange)
  }

  /// The rules of the paper with averages shared in proportion to activation, without which explanations of networks that
  /// end in global average pooling are blind to position.
  public static func `default`(pixelRange: PixelRange?) -> RuleTable {
    RuleTable(name: "default", rows: rows(averages: Proportional()), pixelRange: pixelRange)
  }

  /// What relevance passes unchanged besides: other activations, layer normalisation, scaling and shifting by constants.
  private static let passed = OperatorKind.activations.subtracting([.relu]).union([.layerNormalization, .div, .sub])

  private static func rows(averages: any Rule) -> [Row] {
    [
      Row(.operators(.conv, position: .first), ZBox()),
      Row(.operators(.conv, .gemm), ZPlus()),
      Row(.operators(.maxPool), WinnerTakesAll(ties: .first)),
      Row(.operators(.averagePool, .globalAveragePool, .reduceMean), averages),
      Row(.operators(.relu, .batchNormalization, .lrn, .dropout, .mul), Pass()),
      // What the paper's networks do not have, treated like its kin.
      Row(.operators(.convTranspose), ZPlus()),
      Row(Selector(operators: passed), Pass()),
    ]
  }
}
