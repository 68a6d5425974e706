import Networks
import Tensors

extension Reduction: ComputedOperator {
  package func kernel(at site: KernelSite) throws -> any Kernel {
    let kernel = ReductionKernel(reduction: self, input: site.operands[0].shape, axes: try axes(of: site.operands))
    guard site.isStepwise, let type = site.output.kind.integerType else { return kernel }
    return StepwiseKernel(
      IntegerReductionKernel(reduction: self, type: type, isMean: false, input: kernel.input, axes: kernel.axes),
      withoutSteps: kernel)
  }
}

/// Sum, product or extreme over whole axes. A sum is linear.
package struct ReductionKernel: LinearKernel {
  let reduction: Reduction
  let input: Shape
  let axes: Set<Int>

  private var kept: Shape { input.reduced(over: axes, keepsAxes: true) }

  package func forward(
    _ operands: [UnsafePointer<Float>], _ output: UnsafeMutablePointer<Float>, on workers: Workers
  ) {
    let kept = kept
    var results = [Double?](repeating: nil, count: kept.count)
    StridedWalk(over: input, broadcasting: kept).forEachElement { position, to, _ in
      let value = Double(operands[0][position])
      results[to] = results[to].map { reduction.combine($0, value) } ?? value
    }
    for (i, result) in results.enumerated() { output[i] = Float(result ?? (reduction.function == .product ? 1 : 0)) }
  }

  /// For a sum: every element gets what its sum has.
  package func adjoint(
    _ upstream: UnsafePointer<Float>, seeds: Int, _ results: [UnsafeMutablePointer<Float>?], on workers: Workers
  ) {
    guard let c = results[0] else { return }
    eachElement(seeds: seeds) { to, from, _ in c[to] = upstream[from] }
  }

  /// For an extreme: the first element that equals it gets what it has, or all that do get equal shares.
  package func sendToWinners(
    x: UnsafePointer<Float>, y: UnsafePointer<Float>, r: UnsafePointer<Float>, seeds: Int, splitsTies: Bool,
    _ c: UnsafeMutablePointer<Float>
  ) {
    let outputs = kept.count * seeds
    var winners = [Int](repeating: 0, count: outputs)
    eachElement(seeds: seeds) { to, from, element in
      if x[element] == y[output(of: from, seeds: seeds)] { winners[from] += 1 }
    }
    var isTaken = [Bool](repeating: false, count: outputs)
    eachElement(seeds: seeds) { to, from, element in
      c[to] = 0
      guard x[element] == y[output(of: from, seeds: seeds)], splitsTies || !isTaken[from] else { return }
      c[to] = splitsTies ? r[from] / Float(winners[from]) : r[from]
      isTaken[from] = true
    }
  }

  /// The position of an output among those without seeds.
  private func output(of position: Int, seeds: Int) -> Int {
    let item = max(kept.itemCount, 1)
    return position / item / seeds * item + position % item
  }

  /// Visits every element of the operand's relevance, with that of the output that it belongs to, and the operand's element.
  private func eachElement(seeds: Int, _ body: (_ to: Int, _ from: Int, _ element: Int) -> Void) {
    let kept = kept
    let (items, outputs) = (max(input.itemCount, 1), max(kept.itemCount, 1))
    StridedWalk(over: input, broadcasting: kept).forEachElement { element, output, _ in
      for seed in 0..<seeds {
        body(
          (element / items * seeds + seed) * items + element % items,
          (output / outputs * seeds + seed) * outputs + output % outputs, element)
      }
    }
  }
}
