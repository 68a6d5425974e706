import Networks

extension NodeReader {
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
      if try attributes.flag("noop_with_empty_axes") { return .node(Identity(), [list.operands[0]]) }
      axes = nil
    }
    // Counted from the front where the number of axes is known, so that the same reduction always looks the same.
    if case .fixed(let numbers) = axes, let rank = list.operands[0].rank {
      axes = .fixed(numbers.map { $0 < 0 ? $0 + rank : $0 })
    }
    let reduction = Reduction(function, axes: axes, keepsAxes: try attributes.flag("keepdims", default: true))
    return .node(reduction, list.operands)
  }

  /// GlobalMaxPool: the maximum over all axes but batch and channels.
  func globalMaxPool() throws -> Imported {
    let x = try operand(0, "X")
    let rank = try rank(of: x, else: "its input's number of axes is not known beforehand")
    guard rank >= 3 else { throw Defect("input X has \(rank) axes; expected batch × channels × space") }
    return .node(Reduction(.maximum, axes: .fixed(Array(2..<rank)), keepsAxes: true), [x])
  }
}

extension Reduction: WritableOperator {
  /// GlobalMaxPool, or a reduction whose axes are an input.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let rank = file.rank(ofOperandOf: id)
    let input = file.inputs(of: id)[0]
    if function == .maximum, keepsAxes, rank >= 3, file.kinds[id.index] == .real, case .fixed(let axes) = axes,
      axes.map({ $0 < 0 ? $0 + rank : $0 }).sorted() == Array(2..<rank)
    {
      return file.finish(id, WrittenNode("GlobalMaxPool", [input]))
    }
    if function != .sum { file.require(opset: 18) }
    let name = kind == .globalMaxPool ? OperatorKind.reduceMax.name : kind.name
    let axes = axes.map { file.list($0, "axes", of: id) } ?? ""
    file.finish(id, WrittenNode(name, [input, axes], [.init("keepdims", .int(keepsAxes ? 1 : 0))]))
  }
}
