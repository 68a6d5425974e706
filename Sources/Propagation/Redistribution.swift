import CKernels
import Execution
import Tensors

/// One summand of a denominator `z = Σₖ Wₖ·xₖ`: a modified input and the part of the weights that it meets.
struct Term: Sendable {
  let input: Tensor
  let part: WeightPart
}

extension Layer {
  /// The step that rules for weighted layers have in common, for denominators that cannot be negative:
  /// `z = Σₖ Wₖ·xₖ`, `s = R / (z + stabiliser)`, `R' = Σₖ xₖ ⊙ Wₖᵀ·s`. An output with `z = 0` sends nothing.
  func redistribute(_ relevance: consuming Tensor, by terms: [Term], stabiliser: Float) -> Tensor {
    let z = denominators.value(for: site.id) { product(of: terms) }
    var s = relevance
    divide(&s, by: z, stabiliser: stabiliser)
    var result: Tensor?
    for term in terms {
      let share = adjoint(of: term, times: s)
      if result == nil { result = share } else { result?.add(share, on: workers) }
    }
    guard let result else { preconditionFailure("a rule needs at least one term") }
    return result
  }

  /// `x ⊙ Wᵀ·s`
  private func adjoint(of term: Term, times s: Tensor) -> Tensor {
    var share = uninitializedRelevance(like: operand.shape)
    share.withUnsafeMutableElements { share in
      s.withUnsafeElements { s in
        term.input.withUnsafeElements { x in
          weighted.adjoint(
            term.part, s.baseAddress!, seeds: seeds, share.baseAddress!, factor: x.baseAddress!, on: workers)
        }
      }
    }
    return share
  }

  /// `Σₖ Wₖ·xₖ`
  private func product(of terms: [Term]) -> Tensor {
    if terms.count == 1, terms[0].part == .positive, let companion = trace.companion(of: site.id) { return companion }
    var z = workers.pool.tensor(output.shape)
    z.withUnsafeMutableElements { z in
      for (index, term) in terms.enumerated() {
        term.input.withUnsafeElements { x in
          weighted.product(term.part, x.baseAddress!, z.baseAddress!, accumulates: index > 0, on: workers)
        }
      }
    }
    return z
  }

  /// `R ← R / (z + stabiliser)` where `z > 0`, else 0.
  private func divide(_ relevance: inout Tensor, by z: Tensor, stabiliser: Float) {
    let count = z.count / batch
    relevance.withUnsafeMutableElements { r in
      z.withUnsafeElements { z in
        let shared = Shared((r: r.baseAddress!, z: z.baseAddress!))
        forEachRun(ofItems: count) { at, activation, count in
          rk_divide_positive(shared.pointer.r + at, shared.pointer.z + activation, stabiliser, count)
        }
      }
    }
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

  /// The sum of all elements in double precision, on all threads.
  package func sum(on workers: Workers) -> Double {
    let grain = 1 << 16
    let parts = (count + grain - 1) / grain
    var sums = [Double](repeating: 0, count: parts)
    withUnsafeElements { x in
      sums.withUnsafeMutableBufferPointer { sums in
        let shared = Shared((x: x.baseAddress!, sums: sums.baseAddress!))
        let count = x.count
        workers.run(parts) { part in
          let first = part * grain
          shared.pointer.sums[part] = rk_sum(shared.pointer.x + first, min(grain, count - first))
        }
      }
    }
    return sums.reduce(0, +)
  }
}
