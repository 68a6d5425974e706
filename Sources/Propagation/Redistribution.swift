import CKernels
import Execution
import Tensors

extension Layer {
  /// Shares out relevance in proportion to contributions: `z = Σₖ Wₖ·xₖ + b`, `s = R / (z + stabiliser)`,
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
        let share = adjoint(terms, times: s)
        if result == nil { result = share } else { result?.add(share, on: workers) }
      }
      if let part = group.bias { share(bias: part, s, group, &result) }
    }
    return result ?? Tensor(shape: Self.relevanceShape(of: operandShape, batch: batch, seeds: seeds))
  }

  // MARK: Products

  /// `Σₖ Wₖ·xₖ + b`
  private func denominator(of group: Contributions) -> Tensor {
    let layer = weighted
    let companion = group.isPositiveProduct(at: site) ? companion : nil
    if let companion, group.bias == nil || layer.bias == nil { return companion }
    // Averages that count padding have other outputs than those that share out relevance.
    let hasBias = layer.bias != nil || site.operandHasOffset
    let isOutput = kernel is any WeightedKernel && group.isOutput(at: site, hasBias: hasBias)
    if isOutput { return relevantOutput }
    var z = companion ?? product(of: group.terms(at: site))
    if let part = group.bias { add(biases: part, to: &z) }
    return z
  }

  /// `Σₖ Wₖ·xₖ`
  private func product(of terms: [Term]) -> Tensor {
    let layer = weighted
    var z = workers.pool.tensor(outputShape)
    z.withUnsafeMutableElements { z in
      if terms.isEmpty { z.update(repeating: 0) }
      withInputs(of: terms) { inputs in
        layer.product(
          zip(terms, inputs).map { ($0.weights, $1) }, z.baseAddress!, on: workers)
      }
    }
    return z
  }

  /// `Σₖ xₖ ⊙ Wₖᵀ·s`
  func adjoint(_ terms: [Term], times s: Tensor) -> Tensor {
    clock?.countAdjointProducts(seeds * terms.count, at: site.id)
    var share = uninitializedRelevance(like: operandShape)
    let layer = weighted
    share.withUnsafeMutableElements { share in
      s.withUnsafeElements { s in
        withInputs(of: terms) { inputs in
          layer.adjoint(
            zip(terms, inputs).map { term, input in
              if case .ones = term.input { (term.weights, nil) } else { (term.weights, input) }
            }, s.baseAddress!, seeds: seeds, share.baseAddress!, on: workers)
        }
      }
    }
    return share
  }

  /// Calls `body` with where the input of each term starts.
  private func withInputs<Result>(of terms: [Term], _ body: ([UnsafePointer<Float>]) -> Result) -> Result {
    let inputs = terms.map { input(of: $0) }
    return withExtendedLifetime(inputs) { body(inputs.map { $0.withUnsafeElements { $0.baseAddress! } }) }
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

  /// `R ← f·R / (z + stabiliser)`, and what that keeps back into the books.
  private func divide(_ relevance: inout Tensor, by z: Tensor, _ group: Contributions) {
    let (stabiliser, isPositive): (Float, Bool) =
      switch group.stabiliser {
      case .positive(let number): (number, true)
      case .signed(let number): (number, false)
      }
    let count = z.count / batch
    let factor = group.factor
    if isBooking {
      let losses = relevance.withUnsafeElements { r in
        z.withUnsafeElements { z in
          let shared = Shared((r: r.baseAddress!, z: z.baseAddress!))
          return sums(ofItems: count) { at, activation, count, kept in
            rk_divide_losses(
              shared.pointer.r + at, shared.pointer.z + activation, stabiliser, isPositive ? 1 : 0, count, kept)
          }
        }
      }
      book(.zeroDenominator, losses.map { $0.0 * Double(factor) })
      book(.stabiliser, losses.map { $0.1 * Double(factor) })
    }
    relevance.withUnsafeMutableElements { r in
      z.withUnsafeElements { z in
        let shared = Shared((r: r.baseAddress!, z: z.baseAddress!))
        forEachRun(ofItems: count) { at, activation, count in
          let (r, z) = (shared.pointer.r + at, shared.pointer.z + activation)
          if isPositive {
            rk_divide_positive(r, z, stabiliser, count)
          } else {
            rk_divide_nonzero(r, z, stabiliser, count)
          }
          if factor != 1 { rk_scale(r, r, factor, count) }
        }
      }
    }
  }

  /// Clears the relevance of outputs of the other sign.
  private func keep(_ relevance: inout Tensor, where sign: Contributions.Outputs) {
    let y = relevantOutput
    relevance.withUnsafeMutableElements { r in
      y.withUnsafeElements { y in
        let shared = Shared((r: r.baseAddress!, y: y.baseAddress!))
        forEachRun(ofItems: y.count / batch) { at, activation, count in
          let (r, y) = (shared.pointer.r + at, shared.pointer.y + activation)
          for i in 0..<count where (y[i] < 0) != (sign == .negative) { r[i] = 0 }
        }
      }
    }
  }

  // MARK: Bias

  /// Books the share of the biases, `b·s`, or gives it to the inputs in equal parts.
  private func share(bias part: WeightPart, _ s: Tensor, _ group: Contributions, _ result: inout Tensor?) {
    let layer = weighted
    var shares = s
    guard multiply(&shares, byBiases: part) else { return }
    guard group.distributesBias else { return book(.bias, sums(of: shares)) }
    // As many inputs as an output has.
    let inputs = denominators.value(for: site.id, group: -1, isPartial: false) {
      var inputs = workers.pool.tensor(outputShape)
      inputs.withUnsafeMutableElements { inputs in
        Tensor(shape: operandShape, repeating: 1).withUnsafeElements { ones in
          layer.product(.ones, ones.baseAddress!, inputs.baseAddress!, accumulates: false, on: workers)
        }
      }
      return inputs
    }
    shares.withUnsafeMutableElements { shares in
      inputs.withUnsafeElements { inputs in
        let shared = Shared((shares: shares.baseAddress!, inputs: inputs.baseAddress!))
        forEachRun(ofItems: s.count / (batch * seeds)) { at, activation, count in
          rk_divide_positive(shared.pointer.shares + at, shared.pointer.inputs + activation, 0, count)
        }
      }
    }
    let share = adjoint([Term(.ones, .ones)], times: shares)
    if result == nil { result = share } else { result?.add(share, on: workers) }
  }
}

extension Tensor {
  /// Adds another tensor of the same size in place.
  mutating func add(_ other: Tensor, on workers: Workers) {
    precondition(count == other.count, "\(shape) and \(other.shape) cannot be added")
    let count = count
    withUnsafeMutableElements { a in
      other.withUnsafeElements { b in
        let shared = Shared((a: a.baseAddress!, b: b.baseAddress!))
        workers.runSplit(count) {
          rk_add(
            shared.pointer.a + $0.lowerBound, shared.pointer.a + $0.lowerBound, shared.pointer.b + $0.lowerBound,
            $0.count)
        }
      }
    }
  }
}
