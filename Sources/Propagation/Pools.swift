import CRelevancePropagation
import RelevanceExecution
import RelevanceTensors

extension Layer {
  /// `R_i = R_j` for elements whose value is the output's: for the first of them, or for all in equal shares.
  func sentToWinners(_ relevance: Tensor, splitsTies: Bool) -> Tensor {
    let (x, y) = (operand, output)
    switch pooled {
    case .windows(let window, let input):
      return throughWindows(window, input, relevance, [x, y]) { plane, values, r, window, c in
        rk_max_pool_winners(
          values[0] + plane * window.pointee.inputs, values[1] + plane * window.pointee.outputs, r, window,
          splitsTies ? 1 : 0, c)
      }
    case .axes(let axes, let input):
      return alongAxes(axes, input, relevance, x, y) { walk, x, y, r, c in
        c.fill(with: 0)
        var winners = [Int](repeating: 0, count: y.count)
        walk.forEachElement { i, j, _ in if x[i] == y[j] { winners[j] += 1 } }
        if splitsTies {
          walk.forEachElement { i, j, _ in if x[i] == y[j] { c[i] = r[j] / Float(winners[j]) } }
        } else {
          walk.forEachElement { i, j, _ in
            guard x[i] == y[j], winners[j] > 0 else { return }
            c[i] = r[j]
            winners[j] = 0
          }
        }
      }
    }
  }

  /// `R_i = R_j / n` over the n elements of an output that reduces whole axes.
  func sharedEqually(_ relevance: Tensor) -> Tensor {
    guard case .axes(let axes, let input) = pooled else { preconditionFailure("\(node.name) does not reduce axes") }
    let count = Float(axes.reduce(1) { $0 * input[$1] })
    return alongAxes(axes, input, relevance, operand, output) { walk, _, _, r, c in
      walk.forEachElement { i, j, _ in c[i] = r[j] / count }
    }
  }

  /// `R_i = x_i / Σ_i' x_i' · R_j` over the elements of an output; none where their sum is 0.
  func sharedInProportion(_ relevance: Tensor, to x: Tensor) -> Tensor {
    switch pooled {
    case .windows(let window, let input):
      return throughWindows(window, input, relevance, [x]) { plane, values, r, window, c in
        rk_average_pool_proportional(values[0] + plane * window.pointee.inputs, r, window, c)
      }
    case .axes(let axes, let input):
      let sums = x.sums(along: axes)
      var ratio = relevance
      update(&ratio, with: sums) { $0.divide(by: $1, .signed(0)) }
      return alongAxes(axes, input, ratio, x, sums) { walk, x, _, ratio, c in
        walk.forEachRun { i, j, _ in
          let (c, x) = (c.run(from: i, count: walk.runLength), x.run(from: i, count: walk.runLength))
          if walk.steps.a == 0 {
            c.set(x, times: ratio[j])
          } else {
            c.set(x, times: ratio.run(from: j, count: walk.runLength))
          }
        }
      }
    }
  }

  /// The node as a mean or a sum of the elements of the input: padding receives no share.
  var mean: any LinearKernel {
    if case .windows(let window, let input) = pooled { return AveragePoolKernel(over: window, input: input) }
    return linear
  }

  /// Calls `body` for each plane of values and each of its seeds, on all threads, with the positions of the planes of
  /// relevance and of the result.
  private func throughWindows(
    _ window: rk_window, _ input: TensorShape, _ relevance: Tensor, _ values: [Tensor],
    _ body: (
      _ plane: Int, _ values: [UnsafePointer<Float>], _ r: UnsafePointer<Float>, _ window: UnsafePointer<rk_window>,
      _ result: UnsafeMutablePointer<Float>
    ) -> Void
  ) -> Tensor {
    self.relevance(like: input) { c in
      Elements.withPointers(([relevance] + values).map(\.view)) { pointers in
        let values = Array(pointers.dropFirst())
        c.withPointer {
          window.eachPlane(of: input, seeds: seeds, pointers[0], $0, on: workers) { plane, window, r, c in
            body(plane, values, r, window, c)
          }
        }
      }
    }
  }

  /// Calls `body` for each item of relevance, on all threads, with a walk over x beside y, and the elements of an
  /// operand x, of its reduction y, of the relevance of y, and of the relevance of x.
  private func alongAxes(
    _ axes: Set<Int>, _ input: TensorShape, _ relevance: Tensor, _ x: Tensor, _ y: Tensor,
    _ body:
      @Sendable (_ walk: StridedWalk, _ x: Elements, _ y: Elements, _ r: Elements, _ result: MutableElements)
      -> Void
  ) -> Tensor {
    // Without further seeds, the indices of the first axis are independent unless the axis is reduced.
    let items = seeds > 1 ? batch : axes.contains(0) || input.rank == 0 ? 1 : input[0]
    let item = items > 1 ? input.withBatch(input[0] / items) : input
    let kept = item.reduced(along: axes)
    let walk = StridedWalk(over: item, broadcasting: kept)
    let (r, x, y) = (relevance.view, x.view, y.view)
    return self.relevance(like: input) { c in
      workers.run(items * seeds) { index in
        let place = index / seeds
        body(
          walk, x.run(from: place * item.count, count: item.count), y.run(from: place * kept.count, count: kept.count),
          r.run(from: index * kept.count, count: kept.count), c.run(from: index * item.count, count: item.count))
      }
    }
  }
}

extension TensorShape {
  /// The shape with extent 1 along some axes.
  fileprivate func reduced(along axes: Set<Int>) -> TensorShape {
    TensorShape(dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
  }
}

extension Tensor {
  /// The sums along some axes, which keep extent 1.
  fileprivate func sums(along axes: Set<Int>) -> Tensor {
    let (x, kept) = (view, shape.reduced(along: axes))
    let walk = StridedWalk(over: shape, broadcasting: kept)
    var result = Tensor(shape: kept)
    result.update { sums in
      walk.forEachRun { start, own, _ in
        let x = x.run(from: start, count: walk.runLength)
        if walk.steps.a == 0 {
          sums[own] += Float(x.sum)
        } else {
          sums.run(from: own, count: walk.runLength).add(x)
        }
      }
    }
    return result
  }
}

/// A mean or a sum as a map with weights that are equal and positive. Their size cancels in all shares, so `.squared`
/// and `.ones` are treated as the weights themselves.
struct EqualWeights: WeightedMap {
  let kernel: any LinearKernel
  let inputShape: TensorShape
  let outputShape: TensorShape
  var bias: (values: Tensor, run: Int)? { nil }
  /// Means that count padding differ from the means that distribute relevance.
  var givesValues: Bool { false }

  private func scale(_ part: WeightPart) -> Float {
    if case .scaled(let positive, _) = part { positive } else { 1 }
  }

  func product(
    _ terms: [(part: WeightPart, x: UnsafePointer<Float>)], _ y: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let count = outputShape.count
    var summand = workers.pool.tensor([terms.count > 1 ? count : 0])
    summand.update {
      $0.withPointer { summand in
        for (index, term) in terms.enumerated() {
          let target = index == 0 ? y : summand
          kernel.forward([term.x], target, on: workers)
          rk_scale(target, target, scale(term.part), count)
          if index > 0 { rk_add(y, y, target, count) }
        }
      }
    }
  }

  func adjoint(
    _ terms: [(part: WeightPart, factor: UnsafePointer<Float>?)], _ s: UnsafePointer<Float>, seeds: Int,
    _ c: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let count = inputShape.itemCount
    let items = inputShape.count / max(count, 1) * seeds
    var summand = workers.pool.tensor([terms.count > 1 ? items * count : 0])
    summand.update {
      $0.withPointer { summand in
        for (index, term) in terms.enumerated() {
          let target = index == 0 ? c : summand
          kernel.adjoint(s, seeds: seeds, [target], on: workers)
          for item in 0..<items {
            let part = target + item * count
            rk_scale(part, part, scale(term.part), count)
            if let factor = term.factor { rk_multiply(part, part, factor + item / seeds * count, count) }
          }
          if index > 0 { rk_add(c, c, target, items * count) }
        }
      }
    }
  }
}
