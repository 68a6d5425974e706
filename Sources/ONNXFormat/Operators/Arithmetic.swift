import Networks
import Tensors

extension NodeReader {
  /// Shape; part of it since opset 15.
  func shape() throws -> Imported {
    .node(
      .shape(start: try attributes.int("start", default: 0), end: try attributes.int("end")), [try operand(0, "data")])
  }

  /// Cast to a type of real numbers, integers or truth values; the precision of real numbers is not followed.
  func cast() throws -> Imported {
    guard let number = try attributes.int("to") else { throw Defect("attribute to is missing") }
    let type = ElementType(number: Int32(truncatingIfNeeded: number))
    guard type.isReal || type.isInteger else { throw Unsupported("a cast to \(type)") }
    return .node(.cast(type.kind), [try operand(0, "input")])
  }

  /// ConstantOfShape: one value, by default the real number 0.
  func constantOfShape() throws -> Imported {
    var function = LiteralFunction.constantOfShape(value: 0, kind: .real)
    if let tensor = try attributes.tensor("value") {
      let value = try ConstantTensor(tensor, name: name, of: model)
      guard value.shape.count == 1 else { throw Defect("value has shape \(value.shape); expected one element") }
      let number: Double =
        value.type.isInteger
        ? (value.type.kind.integerType ?? .int64).double(try value.integers()[0])
        : Double(try value.floats().elements[0])
      function = .constantOfShape(value: number, kind: value.type.kind)
    }
    return .node(.arithmetic(function), [try operand(0, "input")])
  }

  /// An operator that is only computed of what follows from shapes.
  func arithmetic(_ function: LiteralFunction) throws -> Imported {
    .node(.arithmetic(function), try operands.indices.map { try operand($0, "\($0)") })
  }

  /// ReduceSum, ReduceMax, ReduceMin, ReduceProd: axes are an input since the given opset.
  func reduction(_ function: Reduction.Function, axesAreInputSince since: Int) throws -> Imported {
    var list = OperandList(operands: [try operand(0, "data")])
    var axes: List?
    if opset < since {
      axes = try attributes.ints("axes").map { .fixed($0) }
    } else if let operand = optionalOperand(1) {
      axes = try list.list(operand)
    }
    if axes == nil || axes == .fixed([]) {
      if try attributes.flag("noop_with_empty_axes") { return .node(.identity, [list.operands[0]]) }
      axes = nil
    }
    // Counted from the front where the number of axes is known, so that the same reduction always looks the same.
    if case .fixed(let numbers) = axes, let rank = list.operands[0].rank {
      axes = .fixed(numbers.map { $0 < 0 ? $0 + rank : $0 })
    }
    let reduction = Reduction(function, axes: axes, keepsAxes: try attributes.flag("keepdims", default: true))
    return .node(.reduce(reduction), list.operands)
  }

  /// GlobalMaxPool: the maximum over all axes but batch and channels.
  func globalMaxPool() throws -> Imported {
    let x = try operand(0, "X")
    let rank = try rank(of: x, else: "its input's number of axes is not known beforehand")
    guard rank >= 3 else { throw Defect("input X has \(rank) axes; expected batch × channels × space") }
    return .node(.reduce(Reduction(.maximum, axes: .fixed(Array(2..<rank)), keepsAxes: true)), [x])
  }

  /// ConvTranspose with constant weights: inputs × outputs/group × kernel.
  func transposedConvolution() throws -> Imported {
    let x = try operand(0, "X")
    let weight = try weights(1, "W")
    let shape = weight.shape
    let groups = try attributes.int("group", default: 1)
    guard shape.rank >= 3, shape.count > 0 else {
      throw Defect("weight \(shown(weight.name)) has shape \(shape); expected at least 3 axes, none of them empty")
    }
    guard shape.rank <= 4 else { throw Unsupported("a convolution over \(shape.rank - 2) axes; expected 1 or 2") }
    guard groups > 0, shape[0] % groups == 0 else {
      throw Defect("group is \(groups); expected a divisor of the \(shape[0]) inputs of weight \(shown(weight.name))")
    }
    guard try attributes.ints("output_shape") == nil else { throw Unsupported("output_shape; expected pads") }
    try expect(x, rank: shape.rank, "X")
    let kernel = Array(shape.dimensions[2...])
    let extra = try attributes.ints("output_padding") ?? kernel.map { _ in 0 }
    guard extra.count == kernel.count, extra.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
      throw Defect("output_padding is \(extra); expected \(kernel.count) numbers ≥ 0")
    }
    let convolution = TransposedConvolution(
      weight: try weight.floats(), bias: try optionalWeights(2, "B")?.floats(), window: try window(kernel: kernel),
      outputPadding: extra, groups: groups)
    return .node(.transposedConvolution(convolution), [x])
  }
}
