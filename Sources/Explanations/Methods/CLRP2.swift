import RelevancePropagation

/// Contrastive LRP against the negated class: for the dual, the weights into the target are negated. *Gu18* §4 eq. 2.
public struct CLRP2: AttributionMethod {
  /// The part of the network whose weights CLRP2 negates.
  public enum Head: String, Hashable, ParameterValue, CaseIterable {
    /// The last weighted layer and all pooling after it, treated as one linear map from channels × positions to the
    /// logit.
    case composite
    /// The last weighted layer alone, exactly as in the paper. If pooling follows this layer, the contrast cancels.
    case layer
  }
  /// The part of the network whose weights are negated.
  public private(set) var head: Head
  /// λ in `max(0, R − λ·R_dual)`; the paper uses 1.
  public private(set) var strength: Float

  public static let name = "clrp2"
  public static let parameters: [Parameter<Self>] = [
    .init("head", \.head), .init("strength", \.strength, atLeast: 0),
  ]
  public init() { self.init(head: .composite) }
  /// Makes the method.
  public init(head: Head = .composite, strength: Float = 1) { (self.head, self.strength) = (head, strength) }

  public var isContrastive: Bool { true }

  public func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
    try Seeds(contrasting: targets, head, strength: strength, by: self, in: trace) { $0.scores }
  }
}

extension AttributionMethod where Self == CLRP2 {
  /// CLRP2 over the whole linear head.
  public static var clrp2: CLRP2 { CLRP2() }
}
