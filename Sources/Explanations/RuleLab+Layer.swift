import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension RuleLab {
  /// A layer written by hand.
  public struct Layer: Sendable {
    let operation: any RelevanceNetworks.Operator

    /// `W·x + b` over the last axis, with weights of outputs × inputs.
    public static func linear(weight: Tensor, bias: Tensor? = nil) -> Layer {
      Layer(operation: Linear(weight: weight, bias: bias))
    }

    /// Convolution over one or two spatial axes, with weights of outputs × inputs/groups × kernel.
    ///
    /// - Parameters:
    ///   - weight: the weights.
    ///   - bias: one number per output channel.
    ///   - strides: the step between windows along each spatial axis; nil means 1.
    ///   - dilations: the step between elements of a window along each spatial axis; nil means 1.
    ///   - padding: how many zeros are added on either side of each spatial axis; nil means none.
    ///   - groups: how many groups of channels do not see each other.
    /// - Throws: `RelevanceKitError` if a list does not have a number for each spatial axis.
    public static func convolution(
      weight: Tensor, bias: Tensor? = nil, strides: [Int]? = nil, dilations: [Int]? = nil, padding: [Int]? = nil,
      groups: Int = 1
    ) throws -> Layer {
      let window = try Window(
        kernel: Array(weight.shape.dimensions.dropFirst(2)), strides: strides, dilations: dilations,
        padding: padding.map { .explicit(before: $0, after: $0) })
      return Layer(operation: Convolution(weight: weight, bias: bias, window: window, groups: groups))
    }

    /// Maximum over windows of one or two spatial axes.
    ///
    /// - Throws: As `convolution(weight:bias:strides:dilations:padding:groups:)`.
    public static func maxPool(kernel: [Int], strides: [Int]? = nil, padding: [Int]? = nil) throws -> Layer {
      Layer(operation: MaxPool(try window(kernel, strides, padding)))
    }

    /// Mean over windows of one or two spatial axes, of those elements that are there.
    ///
    /// - Throws: As `convolution(weight:bias:strides:dilations:padding:groups:)`.
    public static func averagePool(kernel: [Int], strides: [Int]? = nil, padding: [Int]? = nil) throws -> Layer {
      Layer(operation: AveragePool(window: try window(kernel, strides, padding), countsPadding: false))
    }

    /// `scale · x + shift`, with a number of each per channel.
    public static func batchNormalization(scale: Tensor, shift: Tensor) -> Layer {
      Layer(operation: BatchNormalization(scale: scale, shift: shift))
    }

    /// Normalization over the last axes, from `axis` on, then scaled and shifted.
    public static func layerNormalization(
      axis: Int = -1, scale: Tensor, shift: Tensor? = nil, epsilon: Float = 1e-5
    ) -> Layer {
      Layer(operation: LayerNormalization(axis: axis, scale: scale, shift: shift, epsilon: epsilon))
    }

    private static func window(_ kernel: [Int], _ strides: [Int]?, _ padding: [Int]?) throws -> Window {
      try Window(kernel: kernel, strides: strides, padding: padding.map { .explicit(before: $0, after: $0) })
    }
  }

  /// Makes a lab for one layer by itself, whose node is called `layer`.
  ///
  /// - Parameters:
  ///   - layer: the layer, with its weights.
  ///   - operand: what the layer takes: batch × channels × …
  ///   - operandRange: an interval for each channel of the operand, for rule z^B.
  ///   - threads: how many threads a run uses; nil means one per processor.
  /// - Throws: `RelevanceKitError` if the layer cannot take the operand, or if it cannot be run.
  public init(layer: Layer, operand: Tensor, operandRange: PixelRange? = nil, threads: Int? = nil) throws {
    try self.init(layer: layer.operation, operand: operand, operandRange: operandRange, threads: threads)
  }
}

extension RuleLab {
  /// What one rule made of the relevance of a layer's output.
  public struct Observation: Sendable, Codable {
    /// The rule, as printed in plans.
    public let rule: String
    /// The name of the node whose relevance is looked at: the layer's first operand to which most of the
    /// experiment's rules send any.
    public let operand: String
    /// That operand's relevance, of its shape; zeros if the rule gives it none.
    public let relevance: Tensor
    /// What arrived at the layer, what left at all of its operands, and where the difference went.
    public let ledger: LedgerEntry
    /// The sum of the operand's relevance.
    public let sum: Double
    /// `Σ|R⁻| / Σ|R|`: the part of all magnitude that is negative, 0…1; 0 if there is no relevance.
    public let negativeShare: Double
    /// How concentrated the relevance is; see `Tensor.giniCoefficient()`.
    public let giniCoefficient: Double

    init(rule: String, operand: String, relevance: Tensor, ledger: LedgerEntry) {
      (self.rule, self.operand, self.relevance, self.ledger) = (rule, operand, relevance, ledger)
      sum = relevance.sum()
      let positive = relevance.positivePart.sum()
      let magnitude = 2 * positive - sum
      negativeShare = magnitude == 0 ? 0 : max(0, positive - sum) / magnitude
      giniCoefficient = relevance.giniCoefficient()
    }

    /// How far the relevance is from that of another observation of the same operand; traps if shapes differ.
    public func compared(with reference: Observation) -> Comparison {
      Comparison(
        cosine: relevance.cosine(to: reference.relevance),
        distance: relevance.relativeDistance(from: reference.relevance))
    }
  }

  /// The difference between the relevance of two observations.
  public struct Comparison: Hashable, Sendable, Codable {
    /// The cosine of the angle between the two, −1…1: whether they say the same, whatever their strength.
    public let cosine: Double
    /// `‖R − R_ref‖₂ / ‖R_ref‖₂`: 0 if they are equal; infinite if only the reference is zero.
    public let distance: Double
  }
}
