import RelevanceTensors

/// indices, depth, [off, on] → `on` at the index along a new axis, and `off` elsewhere.
package struct OneHot: Operator {
  package let axis: Int
  package init(axis: Int) { self.axis = axis }

  package var kind: OperatorKind { .oneHot }
  package var takesLists: Bool { true }
  package func elementKind(of operands: [ElementKind]) -> ElementKind { operands.last ?? .real }
  package func isStepwise(of operands: [ElementKind]) -> Bool { true }
  package func outputRank(of operands: [Int?]) -> Int? { operands[0].map { $0 + 1 } }

  package func outputShape(of operands: [Inferred]) throws -> TensorShape {
    guard operands.count == 3, operands[1].shape.count == 1, operands[2].shape.count == 2 else {
      throw Misfit("its operands do not fit; expected indices, one depth and two values")
    }
    guard let depth = operands[1].literal.map({ ($0.integers?.first).map(Float.init) ?? $0.floats.elements[0] }),
      operands[2].literal != nil
    else { throw Misfit("depth or values depend on the image; expected values that follow from shapes") }
    guard depth >= 1, depth < 0x1p31 else { throw Misfit("depth is \(depth); expected a positive number") }
    let x = operands[0].shape
    let axis = try counted(axis, rank: x.rank + 1)
    let shape = try TensorShape(checking: x.dimensions[..<axis] + [Int(depth)] + x.dimensions[axis...])
    guard shape.count <= 1 << 27 else { throw Misfit("a constant of shape \(shape) is too large") }
    return shape
  }

  package func origin(of operands: [Inferred]) throws -> Origin {
    let rank = try firstShape(operands).rank
    return .mixed(Set(try counted(axis, rank: rank + 1)...rank))
  }

  package func sources(of elements: ElementSet, among operands: [Inferred]) throws -> [ElementSet] {
    let axis = try counted(axis, rank: elements.shape.rank)
    let indices = elements.mapped(to: operands[0].shape) { block in
      var axes = block.axes
      axes.remove(at: axis)
      return axes
    }
    return [indices] + operands.dropFirst().map { ElementSet(allOf: $0.shape) }
  }

  package func literal(of operands: [Inferred]) throws -> Literal? {
    let shape = try outputShape(of: operands)
    guard let known = operands[0].literal, let values = operands[2].literal else { return nil }
    let indices =
      try known.integers
      ?? known.floats.elements.map { number in
        guard abs(number) < 0x1p62 else { throw Misfit("an index is \(number); expected a smaller number") }
        return Int(number)
      }
    let lines = Lines(of: shape, along: try counted(axis, rank: shape.rank))
    var isOn = [Bool](repeating: false, count: shape.count)
    for (line, index) in indices.enumerated() {
      let place = index < 0 ? index + lines.extent : index
      if (0..<lines.extent).contains(place) { isOn[lines.position(place, of: line)] = true }
    }
    if let choices = values.integers {
      return .integers(IntegerTensor(shape: shape, elements: isOn.map { choices[$0 ? 1 : 0] }, kind: values.kind))
    }
    let choices = values.floats.elements
    return .floats(Tensor(shape: shape, elements: isOn.map { choices[$0 ? 1 : 0] }))
  }
}
