import RelevanceNetworks
import RelevanceTensors

/// Operators that ONNX Runtime fuses when it optimizes: a layer, an added operand and the following activation.
extension NodeReader {
  /// FusedConv: a convolution plus Z.
  func fusedConvolution() throws -> Imported {
    let activation = try fusedActivation()
    return .assembly { graph in
      let layer = try graph.place(convolution(), named: name)[0]
      let sum = try optionalOperand(3).map { try graph.add(Add(), [layer, $0], named: "\(name).add") } ?? layer
      return [try activated(sum, activation, in: &graph)]
    }
  }

  /// FusedGemm.
  func fusedGemm() throws -> Imported {
    let activation = try fusedActivation()
    return .assembly { graph in [try activated(graph.place(gemm(), named: name)[0], activation, in: &graph)] }
  }

  /// FusedMatMul and TransposeMatMul: `alpha · op(A) · op(B)`. FusedMatMulActivation adds an activation.
  func fusedProduct() throws -> Imported {
    guard try !attributes.flag("transBatchA"), try !attributes.flag("transBatchB") else {
      throw Unsupported("transBatchA or transBatchB is 1; expected 0")
    }
    let activation = try fusedActivation()
    let (a, b) = (try operand(0, "A"), try operand(1, "B"))
    let alpha = try attributes.float("alpha") ?? 1
    let turns = (try attributes.flag("transA"), try attributes.flag("transB"))
    return .assembly { graph in
      func turned(_ x: Operand, _ isTurned: Bool) throws -> Operand {
        guard isTurned else { return x }
        let rank = try rank(of: x, else: "it transposes an unknown number of axes; expected a known number")
        // A vector stays as it is.
        guard rank >= 2 else { return x }
        let order = Array(0..<rank - 2) + [rank - 1, rank - 2]
        return try graph.add(Transpose(order: order), [x], named: "\(name).transpose")
      }
      let product = try taking(turned(a, turns.0), turned(b, turns.1)).matrixProduct()
      var result = try graph.place(product, named: name)[0]
      if alpha != 1 {
        let factor = constant(Tensor(shape: [], elements: [alpha]), "alpha")
        result = try graph.add(Multiply(), [result, factor], named: "\(name).scale")
      }
      return [try activated(result, activation, in: &graph)]
    }
  }

  private func activated(_ x: Operand, _ activation: (any Operator)?, in graph: inout GraphImporter) throws -> Operand {
    guard let activation else { return x }
    return try graph.add(activation, [x], named: "\(name).\(activation.kind.name.lowercased())")
  }

  /// The activation after a layer. Its parameters are one list or separate attributes.
  private func fusedActivation() throws -> (any Operator)? {
    guard let function = try attributes.string("activation"), !function.isEmpty else { return nil }
    let list = try attributes.floats("activation_params")
    func parameter(_ index: Int, _ own: String, _ standard: Float) throws -> Float {
      if let list { return index < list.count ? list[index] : standard }
      return try attributes.float("activation_\(own)") ?? standard
    }
    switch function {
    case "Relu": return Relu()
    case "Sigmoid": return Sigmoid()
    case "Tanh": return Tanh()
    case "Softplus": return Softplus()
    case "HardSwish": return HardSwish()
    case "Gelu": return Gelu(approximate: false)
    case "Elu": return Elu(alpha: try parameter(0, "alpha", 1))
    case "LeakyRelu": return LeakyRelu(alpha: try parameter(0, "alpha", 0.01))
    case "Selu":
      return Selu(alpha: try parameter(0, "alpha", 1.6732632), gamma: try parameter(1, "gamma", 1.050701))
    case "HardSigmoid":
      return HardSigmoid(alpha: try parameter(0, "alpha", 0.2), beta: try parameter(1, "beta", 0.5))
    case "Clip":
      let (lowest, highest) = (
        try parameter(0, "alpha", -.infinity), try parameter(1, "beta", .infinity)
      )
      guard !lowest.isNaN, !highest.isNaN else {
        throw Defect("the bounds of Clip are \(lowest) and \(highest); expected numbers")
      }
      return Clip(lowest: lowest, highest: highest)
    default: throw Unsupported("the activation is \(shown(function)); expected Relu, Clip or another common one")
    }
  }

  // MARK: Functions

  /// Gelu, FastGelu and BiasGelu, with an optional bias that is added first.
  func biasedGelu(approximate: Bool) throws -> Imported {
    let x = try operand(0, "X")
    return .assembly { graph in
      let sum = try optionalOperand(1).map { try graph.add(Add(), [x, $0], named: "\(name).add") } ?? x
      return [try graph.add(Gelu(approximate: approximate), [sum], named: name)]
    }
  }

  /// QuickGelu: `x · σ(alpha · x)`.
  func quickGelu() throws -> Imported {
    let x = try operand(0, "X")
    let alpha = try attributes.float("alpha") ?? 1.702
    return .assembly { graph in
      var inner = x
      if alpha != 1 {
        let factor = constant(Tensor(shape: [], elements: [alpha]), "alpha")
        inner = try graph.add(Multiply(), [x, factor], named: "\(name).scale")
      }
      let gate = try graph.add(Sigmoid(), [inner], named: "\(name).sigmoid")
      return [try graph.add(Multiply(), [x, gate], named: name)]
    }
  }

  /// BiasAdd: the sum of three operands.
  func biasAdd() throws -> Imported { try taking(operand(0, "X"), operand(1, "bias"), operand(2, "skip")).chain(Add()) }

  /// SkipLayerNormalization of the sum with a second operand and a bias. The sum is the fourth output. The simplified
  /// form subtracts no mean.
  func skipNormalization(isSimplified: Bool) throws -> Imported {
    let (x, skip) = (try operand(0, "input"), try operand(1, "skip"))
    let scale = try weights(2, "gamma").floats()
    let shift = try isSimplified ? nil : optionalWeights(3, "beta")?.floats()
    let bias = optionalOperand(isSimplified ? 3 : 4)
    let normalization = LayerNormalization(
      axis: -1, scale: scale, shift: shift, epsilon: try attributes.float("epsilon") ?? 1e-12,
      isCentered: !isSimplified)
    return .assembly { graph in
      var sum = try graph.add(Add(), [x, skip], named: "\(name).add")
      if let bias { sum = try graph.add(Add(), [sum, bias], named: "\(name).bias") }
      let result = try graph.add(normalization, [sum], named: name)
      let none = Operand.unavailable(rank: nil, isLive: true)
      return [result, none, none, sum]
    }
  }
}
