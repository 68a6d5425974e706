import Tensors

extension Operator {
  /// The value of the output where all operands are known, nil if the operator is not evaluated beforehand.
  ///
  /// - Throws: If the operands do not fit.
  func literal(of values: [Literal], _ operands: [Inferred]) throws -> Literal? {
    if let selection = try selection(of: operands) { return values[0].selected(by: selection) }
    switch self {
    case .flatten, .reshape, .squeeze, .unsqueeze, .identity, .dropout:
      return values[0].reshaped(to: try outputShape(of: operands.map(\.shape), operands))
    case .cast(let kind): return values[0].cast(to: kind)
    case .concat(let axis):
      return try concatenated(values, axis: axis, to: outputShape(of: operands.map(\.shape), operands))
    case .relu: return unary(.clip(lowest: 0, highest: .infinity), values[0])
    case .unary(let function): return unary(function, values[0])
    case .add: return try pairs(values, +)
    case .multiply: return try pairs(values, *)
    case .binary(let function): return try pairs(values, function.callAsFunction)
    case .reduce(let reduction): return try reduced(values[0], reduction, operands)
    case .arithmetic(let function): return try function.value(values)
    default: return nil
    }
  }

  private func unary(_ function: UnaryFunction, _ value: Literal) -> Literal {
    guard case .integers(let x) = value, function.keepsIntegers else {
      return .floats(value.floats.map { function($0) })
    }
    let type = x.kind.integerType ?? .int64
    return .integers(
      IntegerTensor(shape: x.shape, elements: x.elements.map { function.integer($0, type) }, kind: x.kind))
  }

  /// A function of pairs of elements, with broadcasting; integers stay integers.
  private func pairs(_ values: [Literal], _ real: (Float, Float) -> Float) throws -> Literal {
    guard values.count == 2 else { throw Misfit("expected 2 operands, found \(values.count)") }
    let shape = try broadcastShape(values[0].shape, values[1].shape)
    let (p, q) = (broadcastPositions(values[0].shape, to: shape), broadcastPositions(values[1].shape, to: shape))
    let kind = elementKind(of: values.map(\.kind))
    if let type = kind.integerType, let a = values[0].integers {
      let elements: [Int?]
      if let b = values[1].integers {
        elements = (0..<shape.count).map { integer(a[p[$0]], b[q[$0]], type) }
      } else {
        let b = values[1].floats.elements
        elements = (0..<shape.count).map { type.power(a[p[$0]], Double(b[q[$0]])) }
      }
      let present = elements.compactMap { $0 }
      guard present.count == elements.count else { throw Misfit("integers are divided by 0") }
      return .integers(IntegerTensor(shape: shape, elements: present, kind: kind))
    }
    let (a, b) = (values[0].floats, values[1].floats)
    return .floats(
      Tensor(uninitialized: shape) { result in
        a.withUnsafeElements { a in
          b.withUnsafeElements { b in for i in result.indices { result[i] = real(a[p[i]], b[q[i]]) } }
        }
      })
  }

  private func reduced(_ value: Literal, _ reduction: Reduction, _ operands: [Inferred]) throws -> Literal? {
    let x = value.shape
    let axes = try reduction.axes(of: x, operands)
    let kept = Shape(x.dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
    let strides = zip(kept.dimensions, kept.strides).map { $0 == 1 ? 0 : $1 }
    func groups<Element>(_ elements: [Element]) -> [[Element]] {
      var groups = [[Element]](repeating: [], count: kept.count)
      for (position, element) in elements.enumerated() {
        var (rest, to) = (position, 0)
        for axis in (0..<x.rank).reversed() {
          to += rest % x[axis] * strides[axis]
          rest /= x[axis]
        }
        groups[to].append(element)
      }
      return groups
    }
    let output = try outputShape(of: operands.map(\.shape), operands)
    if case .integers(let tensor) = value {
      let elements = reduction.integers(groups(tensor.elements), tensor.kind)
      return .integers(IntegerTensor(shape: output, elements: elements, kind: tensor.kind))
    }
    let elements = groups(value.floats.elements).map { group in
      let values = group.map { Double($0) }
      return values.first.map { Float(values.dropFirst().reduce($0, reduction.combine)) }
        ?? Float(reduction.function.neutralElement)
    }
    return .floats(Tensor(shape: output, elements: elements))
  }
}

extension LiteralFunction {
  fileprivate func value(_ values: [Literal]) throws -> Literal? {
    switch self {
    case .range:
      guard values.count == 3, values.allSatisfy({ $0.shape.count == 1 }) else { return nil }
      let list = values.map { $0.integers.map { Double($0[0]) } ?? Double($0.floats.elements[0]) }
      let count = Swift.max(0, (list[1] - list[0]) / list[2]).rounded(.up)
      guard list[2] != 0, count < 0x1p20 else { throw Misfit("a range in steps of \(list[2]) is endless or too long") }
      let integers = values.compactMap { $0.integers?[0] }
      if integers.count == 3 {
        let type = values[0].kind.integerType ?? .int64
        let elements = (0..<Int(count)).map { type.wrapped(integers[0] &+ $0 &* integers[2]) }
        return .integers(IntegerTensor(shape: [Int(count)], elements: elements, kind: values[0].kind))
      }
      let (start, step) = (Float(list[0]), Float(list[2]))
      return .floats(Tensor(shape: [Int(count)], elements: (0..<Int(count)).map { start + Float($0) * step }))
    case .constantOfShape(let value, let kind):
      guard let extents = values.first?.integers else { return nil }
      let shape = try Shape(checking: extents)
      // Some published graphs stand in for weights with it: a fully connected layer of VGG has 103 million.
      guard shape.count <= 1 << 27 else { throw Misfit("a constant of shape \(shape) is too large") }
      if kind == .real { return .floats(Tensor(shape: shape, repeating: Float(value))) }
      let element = kind.integerType?.held(value) ?? (value == 0 ? 0 : 1)
      return .integers(
        IntegerTensor(shape: shape, elements: Array(repeating: element, count: shape.count), kind: kind))
    case .choice:
      guard values.count == 3, let condition = values[0].integers else { return nil }
      let shape = try broadcastShape(try broadcastShape(values[0].shape, values[1].shape), values[2].shape)
      let positions = values.map { broadcastPositions($0.shape, to: shape) }
      if let a = values[1].integers, let b = values[2].integers {
        let elements = (0..<shape.count).map {
          condition[positions[0][$0]] != 0 ? a[positions[1][$0]] : b[positions[2][$0]]
        }
        return .integers(IntegerTensor(shape: shape, elements: elements, kind: values[1].kind))
      }
      let (a, b) = (values[1].floats.elements, values[2].floats.elements)
      return .floats(
        Tensor(
          shape: shape,
          elements: (0..<shape.count).map {
            condition[positions[0][$0]] != 0 ? a[positions[1][$0]] : b[positions[2][$0]]
          }))
    case .comparison(let comparison):
      let shape = try broadcastShape(values[0].shape, values[1].shape)
      let (p, q) = (broadcastPositions(values[0].shape, to: shape), broadcastPositions(values[1].shape, to: shape))
      let truths: [Bool]
      if let a = values[0].integers, let b = values[1].integers {
        if values[0].kind == .integer(.uint64) {
          truths = (0..<shape.count).map { comparison.holds(UInt(bitPattern: a[p[$0]]), UInt(bitPattern: b[q[$0]])) }
        } else {
          truths = (0..<shape.count).map { comparison.holds(a[p[$0]], b[q[$0]]) }
        }
      } else {
        let (a, b) = (values[0].floats.elements, values[1].floats.elements)
        truths = (0..<shape.count).map { comparison.holds(a[p[$0]], b[q[$0]]) }
      }
      return .integers(IntegerTensor(shape: shape, elements: truths.map { $0 ? 1 : 0 }, kind: .truth))
    case .logic(let logic):
      guard let a = values[0].integers else { return nil }
      if logic == .not {
        return .integers(IntegerTensor(shape: values[0].shape, elements: a.map { $0 == 0 ? 1 : 0 }, kind: .truth))
      }
      guard values.count == 2, let b = values[1].integers else { return nil }
      let shape = try broadcastShape(values[0].shape, values[1].shape)
      let (p, q) = (broadcastPositions(values[0].shape, to: shape), broadcastPositions(values[1].shape, to: shape))
      let elements = (0..<shape.count).map { position in
        let (x, y) = (a[p[position]] != 0, b[q[position]] != 0)
        return (logic == .and ? x && y : x || y) ? 1 : 0
      }
      return .integers(IntegerTensor(shape: shape, elements: elements, kind: .truth))
    }
  }
}

extension LiteralFunction.Comparison {
  func holds<Value: Comparable>(_ a: Value, _ b: Value) -> Bool {
    switch self {
    case .equal: a == b
    case .less: a < b
    case .lessOrEqual: a <= b
    case .greater: a > b
    case .greaterOrEqual: a >= b
    }
  }
}

/// For each element of the result the position of an operand's element that broadcasting repeats there.
func broadcastPositions(_ operand: Shape, to shape: Shape) -> [Int] {
  guard operand != shape else { return Array(0..<shape.count) }
  let new = shape.rank - operand.rank
  return Selection(
    input: operand,
    axes: (0..<shape.rank).map { axis in
      axis < new || operand[axis - new] == 1
        ? (nil, [Int](repeating: 0, count: shape[axis])) : (axis - new, Array(0..<shape[axis]))
    }
  ).sources()
}

private func concatenated(_ values: [Literal], axis: Int, to shape: Shape) throws -> Literal {
  let axis = axis < 0 ? axis + shape.rank : axis
  let outer = shape.dimensions[..<axis].reduce(1, *)
  func joined<Element>(_ parts: [[Element]]) -> [Element] {
    let runs = parts.map { outer == 0 ? 0 : $0.count / outer }
    return (0..<outer).flatMap { o in zip(parts, runs).flatMap { part, run in part[o * run..<(o + 1) * run] } }
  }
  let lists = values.compactMap(\.integers)
  if lists.count == values.count {
    return .integers(IntegerTensor(shape: shape, elements: joined(lists), kind: values[0].kind))
  }
  return .floats(Tensor(shape: shape, elements: joined(values.map(\.floats.elements))))
}
