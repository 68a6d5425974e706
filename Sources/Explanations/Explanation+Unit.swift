extension Method {
  /// Whether no value of a map is negative, so that its colours need one side only.
  public var isNonNegative: Bool {
    switch self {
    case .gradCAM, .random: true
    default: isContrastive
    }
  }
}

extension Explanation {
  /// What the map's values are in, for people: `logit`, or `activation of conv5` where a unit is explained, for methods
  /// that share out the score; other methods have units of their own.
  ///
  /// Maps of the same unit can be compared by their values, and can share a colour scale.
  public var unit: String {
    let score =
      switch target {
      case .class, .region: "logit"
      case .unit(let node, _, _): "activation of \(node)"
      }
    return switch method {
    case .clrp1(.logits, _), .excitationBackprop, .contrastiveExcitationBackprop: "share"
    case .lrp, .clrp1, .clrp2, .gradientTimesInput, .integratedGradients: score
    case .sglrp: "probability"
    case .gradient, .smoothGrad: "\(score) per unit of input"
    case .guidedBackprop, .deconvNet: "\(score) per unit of input, rectified"
    case .gradCAM: "\(score), class activation"
    case .guidedGradCAM: "\(score) per unit of input × class activation"
    case .random: "random number"
    }
  }
}
