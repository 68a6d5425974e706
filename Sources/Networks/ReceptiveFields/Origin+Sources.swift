import RelevanceTensors

extension Origin {
  /// The elements of each operand that some elements of the output depend on; all elements of an operand about which
  /// nothing is known.
  func sources(of elements: ElementSet, among operands: [TensorShape]) -> [ElementSet] {
    switch self {
    case .elementwise:
      return operands.map { operand in
        elements.mapped(to: operand) { Self.aligned($0.axes[...], to: operand.dimensions[...]) }
      }
    case .joined(let axis):
      var start = 0
      return operands.map { operand in
        let part = start..<start + operand[axis]
        start = part.upperBound
        return elements.mapped(to: operand) { block in
          var axes = block.axes
          axes[axis] = Array(axes[axis][part])
          return axes
        }
      }
    case .matrixProduct:
      return operands.indices.map { Self.factorSources(of: elements, $0, operands) }
    case .sameOrder, .selection, .mixed, .reduced:
      return operands.enumerated().map { place, operand in
        place == 0 ? firstSources(of: elements, operand) : ElementSet(allOf: operand)
      }
    }
  }

  /// The same for the first operand.
  private func firstSources(of elements: ElementSet, _ operand: TensorShape) -> ElementSet {
    func all(_ axis: Int) -> [Bool] { [Bool](repeating: true, count: operand[axis]) }
    switch self {
    case .sameOrder: return elements.reshaped(to: operand)
    case .selection(let selection): return selection.sources(of: elements)
    case .mixed(let mixed):
      let others = operand.dimensions.indices.filter { !mixed.contains($0) }
      guard operand.rank == elements.shape.rank, others.allSatisfy({ operand[$0] == elements.shape[$0] }) else {
        return ElementSet(allOf: operand)
      }
      return elements.mapped(to: operand) { block in
        block.axes.enumerated().map { mixed.contains($0) ? all($0) : $1 }
      }
    case .reduced(let reduced, let keepsAxes):
      return elements.mapped(to: operand) { block in
        var rest = block.axes[...]
        return operand.dimensions.indices.map { axis in
          if !reduced.contains(axis) { return rest.removeFirst() }
          if keepsAxes { rest.removeFirst() }
          return all(axis)
        }
      }
    case .elementwise, .joined, .matrixProduct: return ElementSet(allOf: operand)
    }
  }

  /// The elements of one operand of a matrix product.
  private static func factorSources(of elements: ElementSet, _ place: Int, _ operands: [TensorShape]) -> ElementSet {
    let operand = operands[place]
    guard operand.rank > 1 else { return ElementSet(allOf: operand) }
    let isLeft = place == 0
    let hasOther = operands[1 - place].rank > 1
    return elements.mapped(to: operand) { block in
      // The output's axes: those of the matrices, rows of the left operand, columns of the right operand.
      var axes = block.axes
      let columns = hasOther || !isLeft ? axes.removeLast() : nil
      let rows = hasOther || isLeft ? axes.removeLast() : nil
      let depth = [Bool](repeating: true, count: isLeft ? operand[-1] : operand[-2])
      let matrix = isLeft ? [rows ?? [true], depth] : [depth, columns ?? [true]]
      return aligned(axes[...], to: operand.dimensions.dropLast(2)) + matrix
    }
  }

  /// The indices along axes after broadcasting: last axes are aligned, and an extent of 1 covers all indices.
  private static func aligned(_ axes: ArraySlice<[Bool]>, to extents: ArraySlice<Int>) -> [[Bool]] {
    zip(axes.suffix(extents.count), extents).map { flags, extent in extent == 1 ? [true] : flags }
  }
}

extension Selection {
  /// The operand's elements that are selected for some elements of the output.
  func sources(of elements: ElementSet) -> ElementSet {
    let runs = axes.compactMap(\.source)
    guard positions == nil, Set(runs).count == runs.count else {
      var flags = [Bool](repeating: false, count: input.count)
      for (isIn, source) in zip(elements.flags, sources()) where isIn && source >= 0 { flags[source] = true }
      return ElementSet(input, flags: flags)
    }
    var meetsFill = false
    var result = elements.reshaped(to: TensorShape(axes.map(\.indices.count))).mapped(to: input) { block in
      var picked = input.dimensions.map { [Bool](repeating: $0 == 1, count: $0) }
      for (flags, axis) in zip(block.axes, axes) {
        guard let source = axis.source else { continue }
        picked[source] = [Bool](repeating: false, count: input[source])
        for (isIn, index) in zip(flags, axis.indices) where isIn {
          if index < 0 { meetsFill = true } else { picked[source][index] = true }
        }
      }
      return picked
    }
    result.meetsPadding = meetsFill
    return result
  }
}
