import RelevanceExecution
import RelevanceTensors

extension Layer {
  /// Distributes relevance in proportion to contributions: `z = Σₖ Wₖ·xₖ + b`, `s = R / (z + stabilizer)`, `R' = Σₖ xₖ
  /// ⊙ Wₖᵀ·s`, summed over the groups. An output with `z = 0` sends no relevance.
  ///
  /// - Complexity: one product per term and trace, and one adjoint product per term and seed.
  public func redistribute(_ relevance: consuming Tensor, by groups: [Contributions]) -> Tensor {
    // No relevance arrives at negative outputs that a rectifier cuts off.
    let active = groups.enumerated().filter { $1.factor != 0 && !($1.outputs == .negative && isRectified) }
    var arrived: Tensor? = consume relevance
    var result: Tensor?
    for (place, (index, group)) in active.enumerated() {
      // The last group may overwrite the arriving relevance.
      guard var s = place == active.count - 1 ? arrived.take() : arrived else { break }
      let z = denominator(index, isPartial: isRectified) { denominator(of: group) }
      if group.outputs != .all { keep(&s, where: group.outputs) }
      divide(&s, by: z, group)
      let terms = group.terms(at: site)
      if !terms.isEmpty {
        let share = adjoint(factors(of: terms), times: s)
        if result == nil { result = share } else { result?.add(share, on: workers) }
      }
      if let part = group.bias { share(bias: part, s, group, &result) }
    }
    return result ?? Tensor(shape: relevanceShape(of: operandShape))
  }

  // MARK: Products

  /// `Σₖ Wₖ·xₖ + b`
  private func denominator(of group: Contributions) -> Tensor {
    let layer = weighted
    let sideProduct = group.isPositiveProduct(at: site) ? sideProduct : nil
    if let sideProduct, group.bias == nil || layer.bias == nil { return sideProduct }
    let hasBias = layer.bias != nil || site.operandHasOffset
    if layer.givesValues, group.isOutput(at: site, hasBias: hasBias) { return relevantOutput }
    var z = sideProduct ?? product(group.terms(at: site).map { ($0.weights, input(of: $0)) })
    if let part = group.bias { add(biases: part, to: &z) }
    return z
  }

  /// The factors of the adjoint of each term; nil for 1.
  private func factors(of terms: [Term]) -> [(part: WeightPart, factor: Tensor?)] {
    terms.map { if case .ones = $0.input { ($0.weights, nil) } else { ($0.weights, input(of: $0)) } }
  }

  private func input(of term: Term) -> Tensor {
    switch term.input {
    case .operand: contributingOperand
    case .positiveOperand: changed(contributingOperand) { $0.set(positivePartOf: $1) }
    case .negativeOperand: changed(contributingOperand) { $0.set(negativePartOf: $1) }
    case .operandMinus(let bound): operand.subtractingBroadcast(bound)
    case .ones: Tensor(shape: operandShape, repeating: 1)
    }
  }

  // MARK: Division

  /// `R ← f·R / (z + stabilizer)`; records the relevance that the division absorbs.
  private func divide(_ relevance: inout Tensor, by z: Tensor, _ group: Contributions) {
    let factor = group.factor
    if isBooking { bookDivision(of: relevance, by: z, group.stabilizer, factor: Double(factor)) }
    update(&relevance, with: z) { r, z in
      r.divide(by: z, group.stabilizer)
      if factor != 1 { r.multiply(by: factor) }
    }
  }

  func bookDivision(
    of relevance: Tensor, by z: Tensor, _ stabilizer: Contributions.Stabilizer = .signed(0), factor: Double = 1
  ) {
    let losses = sums(of: relevance, beside: z) { r, z in r.losses(dividingBy: z, stabilizer) }
    book(.zeroDenominator, losses.map { $0.x * factor })
    book(.stabilizer, losses.map { $0.y * factor })
  }

  private func keep(_ relevance: inout Tensor, where sign: Contributions.Outputs) {
    update(&relevance, with: relevantOutput) { $0.keep(where: $1, areNegative: sign == .negative) }
  }

  // MARK: Bias

  /// Records the share of the biases, `b·s`, as absorbed, or distributes it to the inputs in equal parts.
  private func share(bias part: WeightPart, _ s: Tensor, _ group: Contributions, _ result: inout Tensor?) {
    guard isBooking || group.distributesBias else { return }
    var shares = s
    guard multiply(&shares, byBiases: part) else { return }
    guard group.distributesBias else { return book(.bias, sums(of: shares)) }
    // The number of inputs of each output.
    let inputs = denominator(-1) {
      product([(.ones, Tensor(shape: operandShape, repeating: 1))])
    }
    update(&shares, with: inputs) { $0.divide(by: $1, .positive(0)) }
    let share = adjoint([(.ones, nil)], times: shares)
    if result == nil { result = share } else { result?.add(share, on: workers) }
  }
}

extension Layer {
  // MARK: Affine nodes in front of the layer

  /// The offset that affine nodes in front of the layer have added to its operand; nil without an offset.
  private var operandOffset: Tensor? {
    guard site.operandHasOffset else { return nil }
    return denominator(-2) {
      // Shapes were checked when the run was prepared.
      let offset = try? site.network.offset(of: node.inputs[0], site.offsets, forInput: trace.input.shape)
      return offset ?? Tensor(shape: operandShape)
    }
  }

  /// The operand without the offset of affine nodes.
  var contributingOperand: Tensor {
    guard let operandOffset else { return operand }
    return operand.combined(with: operandOffset, -)
  }

  // MARK: Biases

  /// `b_j + Σ_i o_i w_ij` for each output, if the operand has an offset o.
  private var biasesWithOffset: Tensor? {
    guard let operandOffset else { return nil }
    return denominator(-3) {
      var sum = product([(.all, operandOffset)])
      if let bias = weighted.bias { update(&sum, with: bias, .all, { $0.add($1) }, row: { $0.add($1) }) }
      return sum
    }
  }

  /// `z ← z + part(b)`
  func add(biases part: WeightPart, to z: inout Tensor) {
    if let biases = biasesWithOffset {
      z.add(biases.map { part($0) }, on: workers)
    } else if let bias = weighted.bias {
      update(&z, with: bias, part, { $0.add($1) }, row: { $0.add($1) })
    }
  }

  /// `s ← part(b)·s`; false if there are no biases.
  func multiply(_ s: inout Tensor, byBiases part: WeightPart) -> Bool {
    if let biases = biasesWithOffset {
      update(&s, with: biases.map { part($0) }) { $0.multiply(by: $1) }
    } else if let bias = weighted.bias {
      update(&s, with: bias, part, { $0.multiply(by: $1) }, row: { $0.multiply(by: $1) })
    } else {
      return false
    }
    return true
  }

  /// Calls `body` on all threads for each run of outputs (or of their relevance) that share a bias, with the bias after
  /// `part`. If each output has its own bias, calls `row` with the outputs of an item and all biases.
  private func update(
    _ outputs: inout Tensor, with bias: (values: Tensor, run: Int), _ part: WeightPart,
    _ body: @Sendable (MutableElements, Float) -> Void, row: @Sendable (MutableElements, Elements) -> Void
  ) {
    let (values, run) = (bias.values.map { part($0) }, bias.run)
    let biases = values.view
    let length = run == 1 ? biases.count : run
    outputs.update { outputs in
      workers.runSplit(outputs.count / max(length, 1), grain: max(Self.grain / max(length, 1), 1)) { runs in
        for index in runs {
          let own = outputs.run(from: index * length, count: length)
          if run == 1 { row(own, biases) } else { body(own, biases[index % biases.count]) }
        }
      }
    }
  }
}
