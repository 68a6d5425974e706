import Tensors

extension Graph {
  /// Shape and, where it is known, value of every node's output for an input of the given shape.
  ///
  /// - Throws: `GraphError.inputShape` if the input does not fit the declaration, `GraphError.shape` naming the first node
  ///   that its operands do not fit.
  public func inferred(forInput inputShape: Shape) throws -> [Inferred] {
    var inferred: [Inferred] = []
    inferred.reserveCapacity(nodes.count)
    var computed = 0
    for node in nodes {
      if case .input(let declared, let kind) = node.operation {
        guard declared.admits(inputShape) else {
          throw GraphError.inputShape(name: node.name, expected: declared, found: inputShape)
        }
        inferred.append(Inferred(inputShape, kind))
        continue
      }
      do {
        let result = try node.operation.inferred(
          from: node.inputs.map { inferred[$0.index] }, largest: Self.largestComputedCount - computed)
        switch node.operation {
        case .constant, .integers: break
        default: computed += result.literal?.shape.count ?? 0
        }
        inferred.append(result)
      } catch let error as any RelevanceKitError {
        throw GraphError.shape(node: node.name, operator: node.operation.kind.rawValue, reason: error.description)
      }
    }
    return inferred
  }

  /// How many elements the constants that are computed of others may have in all; some published graphs make weights of
  /// 103 million elements so. Beyond that a node is computed when the network runs.
  package static let largestComputedCount = 1 << 28

  /// The shape of every node's output for an input of the given shape.
  ///
  /// - Throws: As `inferred(forInput:)`.
  public func shapes(forInput inputShape: Shape) throws -> [Shape] { try inferred(forInput: inputShape).map(\.shape) }
}

extension Operator {
  /// Shape and value of the output; no value of more than `largest` elements.
  package func inferred(from operands: [Inferred], largest: Int = .max) throws -> Inferred {
    switch self {
    case .constant(let value): return Inferred(.floats(value))
    case .integers(let value): return Inferred(.integers(value))
    case .shape(let start, let end):
      guard let x = operands.first?.shape else { throw Misfit("expected 1 operand, found none") }
      func clamped(_ axis: Int) -> Int { min(max(axis < 0 ? max(axis, -x.rank) + x.rank : axis, 0), x.rank) }
      let (first, last) = (clamped(start), clamped(end ?? x.rank))
      return Inferred(.integers(IntegerTensor(Array(x.dimensions[first..<max(first, last)]))))
    default: break
    }
    let literals = operands.compactMap(\.literal)
    let kind = elementKind(of: operands.map(\.kind))
    if case .arithmetic = self {
    } else {
      let shape = try outputShape(of: operands.map(\.shape), operands)
      // What grows so much is no shape arithmetic, and no weight either; a model of a few bytes must not fill memory.
      let reasonable = max(1 << 22, 2 * operands.reduce(0) { $0 + $1.shape.count })
      guard shape.count <= min(reasonable, largest) else { return Inferred(shape, kind) }
    }
    if literals.count == operands.count, let literal = try literal(of: literals, operands) { return Inferred(literal) }
    return Inferred(try outputShape(of: operands.map(\.shape), operands), kind)
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
  func outputShape(of operands: [Shape], _ inferred: [Inferred]) throws -> Shape {
    func operand() throws -> Shape {
      guard let first = operands.first, operands.count == 1 || takesLists else {
        throw Misfit("expected 1 operand, found \(operands.isEmpty ? "none" : String(operands.count))")
      }
      return first
    }
    switch self {
    case .input: throw Misfit("an input has no operands to infer its shape from")
    case .constant, .integers, .shape: throw Misfit("its value is known")
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
    case .relu, .dropout, .identity, .unary, .cast: return try operand()
    case .softmax(let softmax), .logSoftmax(let softmax):
      let x = try operand()
      _ = try normalised(softmax.axis, rank: max(x.rank, 1))
      return x
    case .concat(let axis): return try concatenated(operands, axis: axis)
    case .add, .multiply, .binary:
      guard operands.count == 2 else { throw Misfit("expected 2 operands, found \(operands.count)") }
      return try broadcastShape(operands[0], operands[1])
    case .parametricRelu(let slope):
      let x = try operand()
      guard try broadcastShape(x, slope.shape) == x else {
        throw Misfit("a slope of shape \(slope.shape) does not broadcast to \(x)")
      }
      return x
    case .flatten(let axis):
      let x = try operand()
      let axis = axis < 0 ? axis + x.rank : axis
      guard (0...x.rank).contains(axis) else { throw Misfit("axis \(axis) is outside shape \(x)") }
      return Shape([x.dimensions[..<axis].reduce(1, *), x.dimensions[axis...].reduce(1, *)])
    case .reshape(let extents, let allowZero):
      return try reshaped(try operand(), to: extents.values(inferred, "shape"), allowZero: allowZero)
    case .transpose, .slice, .part, .gather, .pad, .expand:
      guard let selection = try selection(of: inferred) else {
        throw Misfit(Self.needsPositions)
      }
      return selection.output
    case .reduce(let reduction):
      let x = try operand()
      let axes = try reduction.axes(of: x, inferred)
      return Shape(x.dimensions.indices.compactMap { axes.contains($0) ? (reduction.keepsAxes ? 1 : nil) : x[$0] })
    case .resize(let resize): return try Shape(checking: resize.weights(of: operand(), inferred).map(\.count))
    case .transposedConvolution(let convolution): return try convolution.outputShape(of: operand())
    case .layerNormalization(let parameters):
      let x = try operand()
      let axis = try normalised(parameters.axis, rank: x.rank)
      guard parameters.scale.count == x.dimensions[axis...].reduce(1, *) else {
        throw Misfit("expected \(parameters.scale.count) elements from axis \(axis) on, found shape \(x)")
      }
      return x
    case .arithmetic: throw Misfit(Self.needsShapes)
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

extension TransposedConvolution {
  fileprivate func outputShape(of x: Shape) throws -> Shape {
    guard x.rank == window.kernel.count + 2, weight.shape.rank == x.rank,
      Array(weight.shape.dimensions[2...]) == window.kernel
    else {
      throw Misfit("the weight's shape \(weight.shape) does not match kernel_shape \(window.kernel) and input \(x)")
    }
    guard weight.shape[0] == x[1], groups > 0, x[1] % groups == 0 else {
      throw Misfit("weight \(weight.shape) in \(groups) groups expects \(weight.shape[0]) channels, found shape \(x)")
    }
    let outputs = weight.shape[1] * groups
    guard bias == nil || bias!.count == outputs else {
      throw Misfit("expected \(outputs) biases, found \(bias!.count)")
    }
    let space = try window.kernel.indices.map { axis in
      let reach = (window.kernel[axis] - 1) * window.dilations[axis] + 1
      let whole = (x[axis + 2] - 1) * window.strides[axis] + reach + outputPadding[axis]
      switch window.padding {
      case .explicit(let before, let after):
        let extent = whole - before[axis] - after[axis]
        guard extent > 0 else { throw Misfit("pads leave nothing of spatial axis \(axis)") }
        return extent
      case .sameUpper, .sameLower: return x[axis + 2] * window.strides[axis]
      }
    }
    return try Shape(checking: [x[0], outputs] + space)
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

func normalised(_ axis: Int, rank: Int) throws -> Int {
  guard (-rank..<rank).contains(axis) else { throw Misfit("axis \(axis) is outside a tensor of \(rank) axes") }
  return axis < 0 ? axis + rank : axis
}

/// The shape of an elementwise operation on two operands.
func broadcastShape(_ a: Shape, _ b: Shape) throws -> Shape {
  guard let shape = a.broadcast(with: b) else { throw Misfit("shapes \(a) and \(b) do not broadcast") }
  return shape
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
