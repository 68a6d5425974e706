import RelevanceNetworks
import RelevancePropagation
import RelevanceTensors

extension RuleLab {
  /// A layer defined in code.
  public struct Layer: Sendable {
    let operation: any RelevanceNetworks.Operator

    /// `W·x + b` over the last axis, with a weight of shape outputs × inputs.
    public static func linear(weight: Tensor, bias: Tensor? = nil) -> Layer {
      Layer(operation: Linear(weight: weight, bias: bias))
    }

    /// A convolution over one or two spatial axes, with a weight of shape outputs × inputs/groups × kernel.
    ///
    /// - Parameters:
    ///   - weight: the weights.
    ///   - bias: one number per output channel.
    ///   - strides: the step between windows along each spatial axis; nil for 1.
    ///   - dilations: the step between elements of a window along each spatial axis; nil for 1.
    ///   - padding: the number of zeros added at both ends of each spatial axis; nil for none.
    ///   - groups: the number of independent groups of channels.
    /// - Throws: `RelevanceKitError` if a list does not have one number per spatial axis.
    public static func convolution(
      weight: Tensor, bias: Tensor? = nil, strides: [Int]? = nil, dilations: [Int]? = nil, padding: [Int]? = nil,
      groups: Int = 1
    ) throws -> Layer {
      let window = try Window(
        kernel: Array(weight.shape.dimensions.dropFirst(2)), strides: strides, dilations: dilations,
        padding: padding.map { .explicit(before: $0, after: $0) })
      return Layer(operation: Convolution(weight: weight, bias: bias, window: window, groups: groups))
    }

    /// The maximum over windows of one or two spatial axes.
    ///
    /// - Throws: As `convolution(weight:bias:strides:dilations:padding:groups:)`.
    public static func maxPool(kernel: [Int], strides: [Int]? = nil, padding: [Int]? = nil) throws -> Layer {
      Layer(operation: MaxPool(try window(kernel, strides, padding)))
    }

    /// The mean over windows of one or two spatial axes; padding is not counted.
    ///
    /// - Throws: As `convolution(weight:bias:strides:dilations:padding:groups:)`.
    public static func averagePool(kernel: [Int], strides: [Int]? = nil, padding: [Int]? = nil) throws -> Layer {
      Layer(operation: AveragePool(window: try window(kernel, strides, padding), countsPadding: false))
    }

    /// `scale · x + shift`, with one scale and one shift per channel.
    public static func batchNormalization(scale: Tensor, shift: Tensor) -> Layer {
      Layer(operation: BatchNormalization(scale: scale, shift: shift))
    }

    /// Normalization over the axes from `axis` to the last one, followed by a scale and a shift.
    public static func layerNormalization(
      axis: Int = -1, scale: Tensor, shift: Tensor? = nil, epsilon: Float = 1e-5
    ) -> Layer {
      Layer(operation: LayerNormalization(axis: axis, scale: scale, shift: shift, epsilon: epsilon))
    }

    private static func window(_ kernel: [Int], _ strides: [Int]?, _ padding: [Int]?) throws -> Window {
      try Window(kernel: kernel, strides: strides, padding: padding.map { .explicit(before: $0, after: $0) })
    }
  }

  /// Makes a lab for a single layer. The name of its node is `layer`.
  ///
  /// - Parameters:
  ///   - layer: the layer, with its weights.
  ///   - operand: the layer's input, batch × channels × ….
  ///   - operandRange: an interval for each channel of the operand, for rule z^B.
  ///   - threads: the number of threads of a run; nil for one per processor.
  /// - Throws: `RelevanceKitError` if the operand does not fit the layer, or if the layer cannot be run.
  public init(layer: Layer, operand: Tensor, operandRange: PixelRange? = nil, threads: Int? = nil) throws {
    try self.init(layer: layer.operation, operand: operand, operandRange: operandRange, threads: threads)
  }
}

extension RuleLab {
  /// The result of applying one rule to the relevance of a layer's output.
  public struct Observation: Sendable, Codable {
    /// The rule, as printed in plans.
    public let rule: String
    /// The name of the node whose relevance is observed: the first of the layer's operands to which most of the
    /// experiment's rules send relevance.
    public let operand: String
    /// The relevance of the operand, in its shape; zeros if the rule sends it none.
    public let relevance: Tensor
    /// The relevance that arrived at the layer, the relevance sent to all of its operands, and the causes of the
    /// difference.
    public let ledger: LedgerEntry
    /// The sum of the operand's relevance.
    public let sum: Double
    /// The negative fraction of the total magnitude, `Σ|R⁻| / Σ|R|`, 0…1; 0 if there is no relevance.
    public let negativeShare: Double
    /// The concentration of the relevance; see `Tensor.giniCoefficient()`.
    public let giniCoefficient: Double

    init(rule: String, operand: String, relevance: Tensor, ledger: LedgerEntry) {
      (self.rule, self.operand, self.relevance, self.ledger) = (rule, operand, relevance, ledger)
      sum = relevance.sum()
      let positive = relevance.positivePart.sum()
      let magnitude = 2 * positive - sum
      negativeShare = magnitude == 0 ? 0 : max(0, positive - sum) / magnitude
      giniCoefficient = relevance.giniCoefficient()
    }

    /// The difference to another observation of the same operand. Traps if the shapes differ.
    public func compared(with reference: Observation) -> Comparison {
      Comparison(
        cosine: relevance.cosine(to: reference.relevance),
        distance: relevance.relativeDistance(from: reference.relevance))
    }
  }

  /// The difference between the relevance of two observations.
  public struct Comparison: Hashable, Sendable, Codable {
    /// The cosine of the angle between the two, −1…1, which does not depend on their magnitudes.
    public let cosine: Double
    /// The relative distance `‖R − R_ref‖₂ / ‖R_ref‖₂`: 0 if they are equal, infinite if only the reference is zero.
    public let distance: Double
  }
}
