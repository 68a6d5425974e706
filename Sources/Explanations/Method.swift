import Propagation

/// How a decision is explained.
///
/// Every method is a seed, a rule table, and what is made of the maps. Methods of relevance use the explainer's table and
/// are in units of the score; the others bring tables of their own.
public enum Method: Hashable, Sendable {
  /// Layer-wise relevance propagation: the target's score, propagated. *Bach15*, *Gu18* §3 eq. 1.
  case lrp
  /// Contrastive LRP against other classes, which share the same score. *Gu18* §4 eq. 2. `strength` is λ in
  /// `max(0, R − λ·R_dual)`; 1 is the paper's.
  case clrp1(against: Dual = .others, strength: Float = 1)
  /// Contrastive LRP against the negated concept: for the dual the weights into the target are negated. *Gu18* §4 eq. 2.
  case clrp2(head: Head = .composite, strength: Float = 1)
  /// Softmax-gradient LRP: seeds `p_t (1 − p_t)` at the target t and `−p_t p_c` at every other class c. *Iwana19*.
  case sglrp
  /// z⁺ on every layer with weights, starting with 1. *Zhang16* §3.2.
  case excitationBackprop
  /// The same, less that of the negated target, both of which start with 1 and meet below the last layer. *Zhang16* §3.3.
  case contrastiveExcitationBackprop
  /// `∂y/∂x`. *Simonyan14* §3.
  case gradient
  /// `x ⊙ ∂y/∂x`. *Shrikumar16*.
  case gradientTimesInput
  /// The gradient with rectifiers that let pass only what is positive on both ways. *Springenberg15*.
  case guidedBackprop
  /// The gradient with rectifiers that let pass only what is positive on the way back. *Zeiler14* §2.1.
  case deconvNet
  /// `max(0, Σ_k α_k A_k)` at a layer, with α_k the mean gradient of channel k, resized to the input. *Selvaraju17* eq. 1, 2.
  /// Without a name the layer is the last that has positions: see `Trace.defaultCAMLayer`.
  case gradCAM(layer: String? = nil)
  /// Guided backpropagation times Grad-CAM. *Selvaraju17*.
  case guidedGradCAM(layer: String? = nil)
  /// `(x − x₀) ⊙` the mean gradient on the way from x₀ to x, at the middle of each of `steps` steps; x₀ has `baseline`
  /// everywhere. *Sundararajan17* eq. 1, 3.
  case integratedGradients(baseline: Float = 0, steps: Int = 32)
  /// The mean gradient of `samples` inputs with normal noise, of `deviation` times the input's range. *Smilkov17*.
  case smoothGrad(samples: Int = 25, deviation: Float = 0.15, seed: UInt64 = 0)
  /// Numbers in 0 ..< 1, the same for the same seed: what chance would say.
  case random(seed: UInt64 = 0)

  /// What CLRP1 contrasts with.
  public enum Dual: Hashable, Sendable {
    /// All other classes in equal parts, as in the paper.
    case others
    /// Some classes in equal parts: “why this and not that”.
    case classes([Int])
    /// The other classes by the size of their logits; both maps are divided by their sums before they are subtracted, so
    /// that the result has no unit. What the authors' code does.
    case logits
  }

  /// What CLRP2 takes for the network's last layer.
  public enum Head: String, Hashable, Sendable, CaseIterable {
    /// The last weighted layer and all pooling after it, as one linear map from channels × positions to the logit.
    case composite
    /// The last weighted layer alone. Where pooling follows it the contrast cancels; verbatim from the paper.
    case layer
  }

  /// CLRP1 as in the paper.
  public static let clrp1 = Method.clrp1()
  /// CLRP2 over the whole linear head.
  public static let clrp2 = Method.clrp2()
  /// Grad-CAM at the last layer that has positions.
  public static let gradCAM = Method.gradCAM()
  /// Guided Grad-CAM at the last layer that has positions.
  public static let guidedGradCAM = Method.guidedGradCAM()
  /// Integrated gradients from zeros in 32 steps.
  public static let integratedGradients = Method.integratedGradients()
  /// SmoothGrad of 25 samples.
  public static let smoothGrad = Method.smoothGrad()
  /// Numbers of seed 0.
  public static let random = Method.random()

  /// The methods that can be asked for by name, with their usual parameters.
  public static let all: [Method] = [
    .lrp, .clrp1, .clrp2, .sglrp, .gradient, .gradientTimesInput, .guidedBackprop, .deconvNet, .excitationBackprop,
    .contrastiveExcitationBackprop, .gradCAM, .guidedGradCAM, .integratedGradients, .smoothGrad, .random,
  ]

  /// The name in commands, file names and reports.
  public var name: String {
    switch self {
    case .lrp: "lrp"
    case .clrp1: "clrp1"
    case .clrp2: "clrp2"
    case .sglrp: "sglrp"
    case .excitationBackprop: "excitation-backprop"
    case .contrastiveExcitationBackprop: "contrastive-excitation-backprop"
    case .gradient: "gradient"
    case .gradientTimesInput: "gradient-x-input"
    case .guidedBackprop: "guided-backprop"
    case .deconvNet: "deconvnet"
    case .gradCAM: "grad-cam"
    case .guidedGradCAM: "guided-grad-cam"
    case .integratedGradients: "integrated-gradients"
    case .smoothGrad: "smoothgrad"
    case .random: "random"
    }
  }

  /// Whether the method is a difference of which only the positive part counts.
  public var isContrastive: Bool {
    switch self {
    case .clrp1, .clrp2, .sglrp, .contrastiveExcitationBackprop: true
    default: false
    }
  }

  /// Whether maps are shares of the target's score, so that a ledger makes sense.
  public var isRelevance: Bool { if case .random = self { false } else { table == .explainers } }

  /// The table that a method propagates by.
  enum Table: Hashable {
    /// The one that the explainer was made with.
    case explainers
    /// The same with the weights of the last layer negated.
    case negated
    case excitation
    case gradient(Gradient.Rectifier)
  }

  var table: Table {
    switch self {
    case .lrp, .clrp1, .clrp2, .sglrp, .random: .explainers
    case .excitationBackprop, .contrastiveExcitationBackprop: .excitation
    case .guidedBackprop, .guidedGradCAM: .gradient(.guided)
    case .deconvNet: .gradient(.deconvolution)
    case .gradient, .gradientTimesInput, .gradCAM, .integratedGradients, .smoothGrad: .gradient(.gradient)
    }
  }
}

extension Method: CustomStringConvertible {
  /// The name, and after a colon the parameters that are not the usual ones: `clrp1:against=386,strength=1.5`.
  public var description: String {
    let parts = zip(parameters, Self.all.first { $0.name == name }?.parameters ?? []).compactMap { own, usual in
      own.value == usual.value ? nil : "\(own.name)=\(own.value)"
    }
    return parts.isEmpty ? name : "\(name):\(parts.joined(separator: ","))"
  }

  /// The parameters as they are written behind the name, those that have their usual values too; `layer` is empty where it is
  /// found out.
  public var parameters: [(name: String, value: String)] {
    func text(_ number: Float) -> String {
      number == number.rounded() && abs(number) < 1e6 ? String(Int(number)) : String(number)
    }
    switch self {
    case .clrp1(let dual, let strength): return [("against", dual.description), ("strength", text(strength))]
    case .clrp2(let head, let strength): return [("head", head.rawValue), ("strength", text(strength))]
    case .gradCAM(let layer), .guidedGradCAM(let layer): return [("layer", layer ?? "")]
    case .integratedGradients(let baseline, let steps): return [("baseline", text(baseline)), ("steps", String(steps))]
    case .smoothGrad(let samples, let deviation, let seed):
      return [("samples", String(samples)), ("deviation", text(deviation)), ("seed", String(seed))]
    case .random(let seed): return [("seed", String(seed))]
    default: return []
    }
  }
}

extension Method.Dual: CustomStringConvertible {
  public var description: String {
    switch self {
    case .others: "others"
    case .classes(let classes): classes.map(String.init).joined(separator: "+")
    case .logits: "logits"
    }
  }
}
