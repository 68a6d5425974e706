import Execution
import Tensors

extension Layer {
  /// Shares out relevance in proportion to contributions: `z = Σₖ Wₖ·xₖ + b`, `s = R / (z + stabilizer)`,
  /// `R' = Σₖ xₖ ⊙ Wₖᵀ·s`, summed over the groups. An output with `z = 0` sends nothing.
  ///
  /// - Complexity: one product per term for each trace, and one adjoint product per term and seed.
  public func redistribute(_ relevance: consuming Tensor, by groups: [Contributions]) -> Tensor {
    // Nothing arrives at outputs below zero where a rectifier has cut them off.
    let active = groups.enumerated().filter { $1.factor != 0 && !($1.outputs == .negative && isRectified) }
    var arrived: Tensor? = consume relevance
    var result: Tensor?
    for (place, (index, group)) in active.enumerated() {
      // The last group may overwrite what arrived.
      guard var s = place == active.count - 1 ? arrived.take() : arrived else { break }
      let z = denominators.value(for: site.id, group: index, isPartial: isRectified) { denominator(of: group) }
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
    let companion = group.isPositiveProduct(at: site) ? companion : nil
    if let companion, group.bias == nil || layer.bias == nil { return companion }
    let hasBias = layer.bias != nil || site.operandHasOffset
    if layer.givesValues, group.isOutput(at: site, hasBias: hasBias) { return relevantOutput }
    var z = companion ?? product(group.terms(at: site).map { ($0.weights, input(of: $0)) })
    if let part = group.bias { add(biases: part, to: &z) }
    return z
  }

  /// What the adjoint of each term is multiplied by; nil for 1.
  private func factors(of terms: [Term]) -> [(part: WeightPart, factor: Tensor?)] {
    terms.map { if case .ones = $0.input { ($0.weights, nil) } else { ($0.weights, input(of: $0)) } }
  }

  private func input(of term: Term) -> Tensor {
    switch term.input {
    case .operand: contributingOperand
    case .positiveOperand: contributingOperand.positivePart
    case .negativeOperand: contributingOperand.map { min($0, 0) }
    case .operandMinus(let bound): operand.subtractingBroadcast(bound)
    case .ones: Tensor(shape: operandShape, repeating: 1)
    }
  }

  // MARK: Division

  /// `R ← f·R / (z + stabilizer)`, and what that keeps back into the books.
  private func divide(_ relevance: inout Tensor, by z: Tensor, _ group: Contributions) {
    let factor = group.factor
    if isBooking { bookDivision(of: relevance, by: z, group.stabilizer, factor: Double(factor)) }
    update(&relevance, with: z) { r, z in
      r.divide(by: z, group.stabilizer)
      if factor != 1 { r.multiply(by: factor) }
    }
  }

  /// Books what a division by z keeps back.
  func bookDivision(
    of relevance: Tensor, by z: Tensor, _ stabilizer: Contributions.Stabilizer = .signed(0), factor: Double = 1
  ) {
    let losses = sums(of: relevance, beside: z) { r, z in r.losses(dividingBy: z, stabilizer) }
    book(.zeroDenominator, losses.map { $0.0 * factor })
    book(.stabilizer, losses.map { $0.1 * factor })
  }

  /// Clears the relevance of outputs of the other sign.
  private func keep(_ relevance: inout Tensor, where sign: Contributions.Outputs) {
    update(&relevance, with: relevantOutput) { $0.keep(where: $1, areNegative: sign == .negative) }
  }

  // MARK: Bias

  /// Books the share of the biases, `b·s`, or gives it to the inputs in equal parts.
  private func share(bias part: WeightPart, _ s: Tensor, _ group: Contributions, _ result: inout Tensor?) {
    guard isBooking || group.distributesBias else { return }
    var shares = s
    guard multiply(&shares, byBiases: part) else { return }
    guard group.distributesBias else { return book(.bias, sums(of: shares)) }
    // As many inputs as an output has.
    let inputs = denominators.value(for: site.id, group: -1, isPartial: false) {
      product([(.ones, Tensor(shape: operandShape, repeating: 1))])
    }
    update(&shares, with: inputs) { $0.divide(by: $1, .positive(0)) }
    let share = adjoint([(.ones, nil)], times: shares)
    if result == nil { result = share } else { result?.add(share, on: workers) }
  }
}
