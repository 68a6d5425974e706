import RelevanceNetworks
import RelevanceTensors

extension Where: DirectlyComputed { typealias Computed = ChoiceKernel }
extension ArgumentOfExtreme: DirectlyComputed { typealias Computed = ExtremeKernel }
extension OneHot: DirectlyComputed { typealias Computed = OneHotKernel }
extension TopElements: DirectlyComputed { typealias Computed = TopKernel }

/// The elements of two tensors, selected by a third one.
struct ChoiceKernel: OperatorKernel {
  private let count: Int
  /// The positions of each operand's elements; nil if the operand has the output's shape.
  private let positions: [[Int32]?]

  init(_ choice: Where, at site: KernelSite) {
    let shape = site.output.shape
    count = shape.count
    positions = site.operands.map { operand in
      if operand.shape == shape { return nil }
      var own: [Int32] = []
      own.reserveCapacity(shape.count)
      StridedWalk(over: shape, broadcasting: operand.shape).forEachElement { own.append(Int32($1 + 0 * $2 + 0 * $0)) }
      return own
    }
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((operands: operands, output: output))
    workers.runSplit(count) { part in
      let (operands, output) = shared.pointer
      for i in part {
        let chosen = operands[0][positions[0].map { Int($0[i]) } ?? i] != 0 ? 1 : 2
        output[i] = operands[chosen][positions[chosen].map { Int($0[i]) } ?? i]
      }
    }
  }
}

/// The index of the largest or smallest element along an axis.
struct ExtremeKernel: OperatorKernel {
  private let lines: Lines
  private let extreme: ArgumentOfExtreme

  init(_ extreme: ArgumentOfExtreme, at site: KernelSite) {
    let x = site.operands[0].shape
    self.extreme = extreme
    lines = Lines(of: x, along: extreme.axis < 0 ? extreme.axis + x.rank : extreme.axis)
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let shared = Shared((x: operands[0], y: output))
    workers.runSplit(lines.count, grain: max(1 << 15 / max(lines.extent, 1), 1)) { part in
      let (x, y) = shared.pointer
      for line in part {
        var (best, value) = (0, x[lines.position(0, of: line)])
        for i in 1..<max(lines.extent, 1) {
          let own = x[lines.position(i, of: line)]
          if extreme.isMaximum ? own > value : own < value { (best, value) = (i, own) }
          if extreme.takesLast, own == value { best = i }
        }
        y[line] = Float(best)
      }
    }
  }
}

/// One value at an index along a new axis, and another value elsewhere.
struct OneHotKernel: OperatorKernel {
  private let lines: Lines
  private let (off, on): (Float, Float)
  private let count: Int

  init(_ oneHot: OneHot, at site: KernelSite) {
    let shape = site.output.shape
    count = shape.count
    lines = Lines(of: shape, along: oneHot.axis < 0 ? oneHot.axis + shape.rank : oneHot.axis)
    let values = site.operands[2].literal?.floats.elements ?? [0, 1]
    (off, on) = (values[0], values[1])
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    output.update(repeating: off, count: count)
    for line in 0..<lines.count {
      let index = operands[0][line].rounded(.towardZero)
      let place = index < 0 ? index + Float(lines.extent) : index
      if place >= 0, place < Float(lines.extent) { output[lines.position(Int(place), of: line)] = on }
    }
  }
}

/// The largest or smallest elements along an axis, or their indices.
struct TopKernel: OperatorKernel, GuidedKernel {
  private let top: TopElements
  private let input: TensorShape
  private let axis: Int
  private let extent: Int

  init(_ top: TopElements, at site: KernelSite) {
    self.top = top
    input = site.operands[0].shape
    axis = top.axis < 0 ? top.axis + input.rank : top.axis
    extent = site.output.shape[axis]
  }

  func forward(_ operands: [Floats], _ output: MutableFloats, on workers: Workers) {
    let lines = Lines(of: input, along: axis)
    let shared = Shared((x: operands[0], y: output))
    workers.run(lines.count) { line in
      let (x, y) = shared.pointer
      let order = TopElements.order(lines, line, top.isLargest) { x[$0] }
      for rank in 0..<extent {
        let source = order[rank]
        y[lines.position(rank, of: line, extent: extent)] =
          top.givesPlaces ? Float(source) : x[lines.position(source, of: line)]
      }
    }
  }

  func adjoint(
    _ upstream: Floats, at operands: [Floats], items: Int, seeds: Int, _ results: [MutableFloats?], on workers: Workers
  ) {
    guard let c = results[0] else { return }
    let lines = Lines(of: input, along: axis)
    c.update(repeating: 0, count: input.count * seeds)
    if top.givesPlaces { return }
    let linesOfItem = lines.count / max(items, 1)
    let (ofInput, ofOutput) = (input.count / max(items, 1), linesOfItem * extent)
    let shared = Shared((s: upstream, x: operands[0], c: c))
    workers.run(lines.count) { line in
      let (s, x, c) = shared.pointer
      let order = TopElements.order(lines, line, top.isLargest) { x[$0] }
      let (item, own) = (line / linesOfItem, line % linesOfItem)
      for seed in item * seeds..<(item + 1) * seeds {
        for rank in 0..<extent {
          c[seed * ofInput + lines.position(order[rank], of: own)] =
            s[seed * ofOutput + lines.position(rank, of: own, extent: extent)]
        }
      }
    }
  }
}
