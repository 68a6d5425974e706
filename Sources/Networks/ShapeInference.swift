import Tensors

extension Graph {
  /// The shape of every node's output for an input of the given shape.
  ///
  /// - Throws: `GraphError.inputShape` if the input does not fit the declaration, `GraphError.shape` naming the first node
  ///   that its operands do not fit.
  public func shapes(forInput inputShape: Shape) throws -> [Shape] {
    var shapes: [Shape] = []
    shapes.reserveCapacity(nodes.count)
    for node in nodes {
      if case .input(let declared) = node.operation {
        guard declared.admits(inputShape) else {
          throw GraphError.inputShape(name: node.name, expected: declared, found: inputShape)
        }
        shapes.append(inputShape)
        continue
      }
      do {
        shapes.append(try node.operation.outputShape(of: node.inputs.map { shapes[$0.index] }))
      } catch let error as any RelevanceKitError {
        throw GraphError.shape(node: node.name, operator: node.operation.kind.rawValue, reason: error.description)
      }
    }
    return shapes
  }
}

/// Why an operator cannot take its operands.
struct Misfit: RelevanceKitError {
  let description: String
  var category: ErrorCategory { .badData }
  init(_ description: String) { self.description = description }
}

extension Operator {
  /// The shape of the output for operands of the given shapes.
  func outputShape(of operands: [Shape]) throws -> Shape {
    func operand() throws -> Shape {
      guard operands.count == 1 else { throw Misfit("expected 1 operand, found \(operands.count)") }
      return operands[0]
    }
    switch self {
    case .input: throw Misfit("an input has no operands to infer its shape from")
    case .constant(let value): return value.shape
    case .convolution(let convolution): return try convolution.outputShape(of: try operand())
    case .linear(let linear): return try linear.outputShape(of: try operand())
    case .maxPool(let window): return try window.pooledShape(of: try operand())
    case .averagePool(let pool): return try pool.window.pooledShape(of: try operand())
    case .mean(let mean): return try mean.outputShape(of: try operand())
    case .batchNormalization(let parameters):
      let x = try operand()
      guard x.rank >= 2, x[1] == parameters.scale.count else {
        throw Misfit("expected \(parameters.scale.count) channels, found shape \(x)")
      }
      return x
    case .localResponseNormalization:
      let x = try operand()
      guard x.rank >= 2 else { throw Misfit("expected batch × channels × …, found shape \(x)") }
      return x
    case .relu, .dropout, .identity: return try operand()
    case .softmax(let softmax), .logSoftmax(let softmax):
      let x = try operand()
      _ = try normalised(softmax.axis, rank: max(x.rank, 1))
      return x
    case .concat(let axis): return try concatenated(operands, axis: axis)
    case .add, .multiply:
      guard operands.count == 2 else { throw Misfit("expected 2 operands, found \(operands.count)") }
      guard let shape = operands[0].broadcast(with: operands[1]) else {
        throw Misfit("shapes \(operands[0]) and \(operands[1]) do not broadcast")
      }
      return shape
    case .flatten(let axis):
      let x = try operand()
      let axis = axis < 0 ? axis + x.rank : axis
      guard (0...x.rank).contains(axis) else { throw Misfit("axis \(axis) is outside shape \(x)") }
      return Shape([x.dimensions[..<axis].reduce(1, *), x.dimensions[axis...].reduce(1, *)])
    case .reshape(let extents, let allowZero): return try reshaped(try operand(), to: extents, allowZero: allowZero)
    case .transpose(let order):
      let x = try operand()
      let order = order ?? (0..<x.rank).reversed()
      guard order.sorted() == Array(0..<x.rank) else { throw Misfit("perm \(order) does not order the axes of \(x)") }
      return Shape(order.map { x[$0] })
    case .squeeze(let axes):
      let x = try operand()
      let dropped =
        try axes.map { try Set($0.map { try normalised($0, rank: x.rank) }) }
        ?? Set(x.dimensions.indices.filter { x[$0] == 1 })
      guard dropped.allSatisfy({ x[$0] == 1 }) else { throw Misfit("axes \(dropped.sorted()) of \(x) are not all 1") }
      return Shape(x.dimensions.indices.filter { !dropped.contains($0) }.map { x[$0] })
    case .unsqueeze(let axes):
      let x = try operand()
      let rank = x.rank + axes.count
      let added = try Set(axes.map { try normalised($0, rank: rank) })
      guard added.count == axes.count else { throw Misfit("axes \(axes) repeat") }
      var rest = x.dimensions.makeIterator()
      return Shape((0..<rank).map { added.contains($0) ? 1 : rest.next()! })
    }
  }
}

extension Convolution {
  fileprivate func outputShape(of x: Shape) throws -> Shape {
    guard x.rank == window.kernel.count + 2 else {
      throw Misfit("expected \(window.kernel.count + 2) axes (batch × channels × space), found shape \(x)")
    }
    guard weight.shape.rank == x.rank, Array(weight.shape.dimensions.dropFirst(2)) == window.kernel else {
      throw Misfit("the weight's shape \(weight.shape) does not match kernel_shape \(window.kernel)")
    }
    let channels = weight.shape[1].multipliedReportingOverflow(by: groups)
    guard groups > 0, !channels.overflow, channels.partialValue == x[1], weight.shape[0] % groups == 0 else {
      throw Misfit(
        "weight \(weight.shape) in \(groups) groups expects \(channels.partialValue) channels, found shape \(x)")
    }
    guard bias == nil || bias!.count == weight.shape[0] else {
      throw Misfit("expected \(weight.shape[0]) biases, found \(bias!.count)")
    }
    return try Shape(checking: [x[0], weight.shape[0]] + window.placement(over: Array(x.dimensions[2...])).outputs)
  }
}

extension Linear {
  fileprivate func outputShape(of x: Shape) throws -> Shape {
    guard weight.shape.rank == 2, x.rank >= 1, x[-1] == weight.shape[1] else {
      throw Misfit("expected \(weight.shape.dimensions.last ?? 0) inputs along the last axis, found shape \(x)")
    }
    guard bias == nil || bias!.count == weight.shape[0] else {
      throw Misfit("expected \(weight.shape[0]) biases, found \(bias!.count)")
    }
    return Shape(x.dimensions.dropLast() + [weight.shape[0]])
  }
}

extension Window {
  fileprivate func pooledShape(of x: Shape) throws -> Shape {
    guard x.rank == kernel.count + 2 else {
      throw Misfit("expected \(kernel.count + 2) axes (batch × channels × space), found shape \(x)")
    }
    return try Shape(checking: [x[0], x[1]] + placement(over: Array(x.dimensions[2...])).outputs)
  }
}

extension Mean {
  /// The axes for an operand of the given rank, counted from the front.
  package func axes(forRank rank: Int) throws -> Set<Int> { try Set(axes.map { try normalised($0, rank: rank) }) }

  fileprivate func outputShape(of x: Shape) throws -> Shape {
    let reduced = try axes(forRank: x.rank)
    guard reduced.allSatisfy({ x[$0] > 0 }) else { throw Misfit("the mean of no elements along \(axes) of \(x)") }
    return Shape(x.dimensions.indices.compactMap { reduced.contains($0) ? (keepsAxes ? 1 : nil) : x[$0] })
  }
}

private func normalised(_ axis: Int, rank: Int) throws -> Int {
  guard (-rank..<rank).contains(axis) else { throw Misfit("axis \(axis) is outside a tensor of \(rank) axes") }
  return axis < 0 ? axis + rank : axis
}

private func concatenated(_ operands: [Shape], axis: Int) throws -> Shape {
  guard let first = operands.first else { throw Misfit("expected at least 1 operand, found none") }
  let axis = try normalised(axis, rank: first.rank)
  var extent = 0
  for operand in operands {
    guard operand.rank == first.rank,
      operand.dimensions.indices.allSatisfy({ $0 == axis || operand[$0] == first[$0] })
    else { throw Misfit("shapes \(first) and \(operand) do not join along axis \(axis)") }
    extent += operand[axis]
  }
  return try Shape(checking: first.dimensions.enumerated().map { $0.offset == axis ? extent : $0.element })
}

private func reshaped(_ x: Shape, to extents: [Int], allowZero: Bool) throws -> Shape {
  guard extents.filter({ $0 == -1 }).count <= 1, extents.allSatisfy({ $0 >= -1 }) else {
    throw Misfit("shape \(extents) has more than one extent to infer, or a negative one")
  }
  var result = extents
  for (axis, extent) in extents.enumerated() where extent == 0 && !allowZero {
    guard axis < x.rank else { throw Misfit("shape \(extents) copies axis \(axis), which \(x) does not have") }
    result[axis] = x[axis]
  }
  if let open = result.firstIndex(of: -1) {
    let known = try Shape(checking: result.filter { $0 != -1 }).count
    guard known > 0, x.count % known == 0 else { throw Misfit("\(x) does not reshape to \(extents)") }
    result[open] = x.count / known
  }
  let shape = try Shape(checking: result)
  guard shape.count == x.count else { throw Misfit("\(x) does not reshape to \(extents)") }
  return shape
}
