import CKernels
import Execution
import Networks
import Tensors

/// Gradient: what arrives is multiplied by the derivatives of the node, as in training.
///
/// - Use: vanilla gradients; guided backpropagation and DeconvNet, which differ at rectifiers only.
/// - Definition: `R_i = Σ_j ∂y_j/∂x_i · R_j`, 0 where values are rounded to integers or wrap as integers do. At a rectifier `max(x, 0)`,
///   with `rectifier`: `gradient`, where `x > 0`; `deconvolution`, where `R > 0`; `guided`, where both are. Rectifiers are `Relu`, `Clip`
///   with lowest 0 (which is `min(max(x, 0), highest)`: nothing passes where `x ≥ highest`), `Max` with a constant 0, and `LeakyRelu`,
///   `PRelu` and `Elu` with slope 0. Other activations (LeakyReLU, ELU, SiLU, GELU, …) keep their plain derivative, as in Captum, which
///   changes modules `ReLU` only: `Method.warnings(under:)` names them.
/// - Its parameters: `rectifier`.
/// - Bias: has no derivative.
/// - Conservation: none: these are no shares. Seeds are 1, not scores.
/// - Reference: *Simonyan14*; *Zeiler14* for DeconvNet; *Springenberg15* for guided backpropagation.
public struct Gradient: Rule {
  /// What rectifiers let pass.
  public enum Rectifier: String, Hashable, Sendable, CaseIterable {
    /// Where the rectifier let values pass.
    case gradient
    /// What is positive.
    case deconvolution
    /// What is positive, where the rectifier let values pass.
    case guided
  }
  /// What rectifiers let pass.
  public let rectifier: Rectifier

  /// Makes the rule.
  public init(rectifier: Rectifier = .gradient) { self.rectifier = rectifier }

  public func objection(at site: RuleSite) -> String? {
    switch site.node.operation {
    case .reduce(let reduction) where reduction.function == .product:
      "it does not know the derivative of a product over axes"
    default: nil
    }
  }

  public func propagate(_ relevance: consuming Tensor, through layer: Layer) -> [Tensor?] {
    let operation = layer.node.operation
    if layer.isStepwise { return layer.node.inputs.map { _ in nil } }
    switch operation {
    case _ where operation.keepsElements: return [layer.summed(relevance, to: layer.operandShapes[0])]
    case .convolution, .linear, .transposedConvolution, .batchNormalization:
      return [layer.adjoint([Term(.ones, .all)], times: relevance)]
    case .relu: return [rectified(relevance, layer.output, layer)]
    case _ where rectifier != .gradient && layer.rectifiedOperand != nil:
      return rectifiedOperands(relevance, layer)
    case .maxPool: return WinnerTakesAll(ties: .first).propagate(relevance, through: layer)
    case .reduce(let reduction) where reduction.function != .sum:
      return WinnerTakesAll(ties: .first).propagate(relevance, through: layer)
    case .unary(let function):
      return [layer.scaled(relevance, by: layer.operand.map { function.derivative(at: $0) })]
    case .parametricRelu(let slope):
      let slopes = slope.expanded(to: layer.operandShape)
      return [layer.scaled(relevance, by: layer.operand.combined(with: slopes) { $0 > 0 ? 1 : $1 })]
    case .add: return layer.partials(relevance) { _, _ in (1, 1) }
    case .multiply: return layer.partials(relevance) { ($1, $0) }
    case .binary(let function): return layer.partials(relevance) { function.derivatives(at: $0, $1) }
    case .localResponseNormalization(let parameters): return [layer.gradient(of: parameters, relevance)]
    case .layerNormalization(let parameters): return [layer.gradient(of: parameters, relevance)]
    case .softmax(let softmax): return [layer.gradient(of: softmax, isLogarithm: false, relevance)]
    case .logSoftmax(let softmax): return [layer.gradient(of: softmax, isLogarithm: true, relevance)]
    default:
      guard let kernel = layer.kernel as? any LinearKernel else {
        preconditionFailure("\(layer.node.name) (\(layer.site.kind.rawValue)) has no derivative")
      }
      return layer.adjoint(of: kernel, relevance)
    }
  }

  /// The same for the operand that a node rectifies, as whichever operator it is written; other operands take nothing.
  private func rectifiedOperands(_ relevance: consuming Tensor, _ layer: Layer) -> [Tensor?] {
    guard let index = layer.rectifiedOperand else { return layer.operands.map { _ in nil } }
    var r = relevance
    let x = layer.operands[index].expanded(to: layer.outputShape)
    if case .unary(.clip(_, let highest)) = layer.node.operation {
      r = layer.scaled(r, by: x.map { $0 < highest ? 1 : 0 })
    }
    let passed = layer.summed(rectified(r, x, layer), to: layer.operandShapes[index])
    return layer.operands.indices.map { $0 == index ? passed : nil }
  }

  /// What a rectifier lets pass; `y` is positive where it lets values pass.
  private func rectified(_ relevance: consuming Tensor, _ y: Tensor, _ layer: Layer) -> Tensor {
    var r = relevance
    r.withUnsafeMutableElements { r in
      y.withUnsafeElements { y in
        let shared = Shared((r: r.baseAddress!, y: y.baseAddress!))
        layer.forEachRun(ofItems: y.count / layer.batch) { at, activation, count in
          let r = shared.pointer.r + at
          if rectifier != .deconvolution { rk_mask(r, shared.pointer.y + activation, count) }
          if rectifier != .gradient { rk_relu(r, r, count) }
        }
      }
    }
    return r
  }
}

extension Gradient: NamedRule {
  public static let name = "gradient"
  public static let parameters = [Parameter.choice("rectifier", Rectifier.gradient)]
  public init(_ arguments: Arguments) throws { self.init(rectifier: arguments.choice("rectifier")) }
  public var arguments: [String: Arguments.Value] { ["rectifier": .word(rectifier.rawValue)] }
}
