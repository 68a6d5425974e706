import Networks
import Tensors

extension NodeReader {
  /// Flatten.
  func flatten() throws -> Imported {
    .node(.flatten(axis: try attributes.int("axis", default: 1)), [try operand(0, "input")])
  }

  /// Reshape to a shape that is constant or follows from shapes; `allowzero` since opset 14.
  func reshape() throws -> Imported {
    let data = try operand(0, "data")
    let extents = try operand(1, "shape")
    if case .constant(let tensor) = extents, tensor.shape.rank > 1 {
      throw Defect("shape, \(shown(tensor.name)), has shape \(tensor.shape); expected a list")
    }
    var list = OperandList(operands: [data])
    let shape = try list.list(extents)
    return .node(.reshape(extents: shape, allowZero: try attributes.flag("allowzero")), list.operands)
  }

  /// Squeeze: axes are an input since opset 13; without them, all axes of extent 1 go.
  func squeeze() throws -> Imported {
    let data = try operand(0, "data")
    let axes = try integers("axes", inputSince: 13, input: 1)
    return .node(.squeeze(axes: try axes.map { try distinct($0, rank: data.rank) }), [data])
  }

  /// Unsqueeze: axes are an input since opset 13.
  func unsqueeze() throws -> Imported {
    let data = try operand(0, "data")
    guard let axes = try integers("axes", inputSince: 13, input: 1) else { throw Defect("axes are missing") }
    return .node(.unsqueeze(axes: try distinct(axes, rank: data.rank.map { $0 + axes.count })), [data])
  }

  /// ReduceMean: axes are an input since opset 18; without them all axes, unless `noop_with_empty_axes` is set.
  func reduceMean() throws -> Imported {
    let data = try operand(0, "data")
    var axes = try integers("axes", inputSince: 18, input: 1) ?? []
    if axes.isEmpty {
      if try attributes.flag("noop_with_empty_axes") { return .node(.identity, [data]) }
      let rank = try rank(
        of: data, else: "a mean over all axes of a tensor whose number of axes is not known beforehand")
      axes = Array(0..<rank)
    }
    let mean = Mean(
      axes: try distinct(axes, rank: data.rank), keepsAxes: try attributes.flag("keepdims", default: true))
    return .node(.mean(mean), [data])
  }

  /// GlobalAveragePool: the mean over all axes but batch and channels.
  func globalAveragePool() throws -> Imported {
    let x = try operand(0, "X")
    let rank = try rank(of: x, else: "its input's number of axes is not known beforehand")
    guard rank >= 3 else { throw Defect("input X has \(rank) axes; expected batch × channels × space") }
    return .node(.mean(Mean(axes: Array(2..<rank), keepsAxes: true)), [x])
  }

  /// Axes that do not repeat, counted from the front if the number of axes is known.
  private func distinct(_ axes: [Int], rank: Int?) throws -> [Int] {
    let counted = try axes.map { axis in
      guard let rank else { return axis }
      guard (-rank..<rank).contains(axis) else {
        throw Defect("axes are \(axes); expected axes of a tensor of \(rank)")
      }
      return axis < 0 ? axis + rank : axis
    }
    guard Set(counted).count == counted.count else { throw Defect("axes are \(axes); expected each once") }
    return counted
  }

  /// Checks the number of axes of an operand, if it is known.
  func expect(_ operand: Operand, rank: Int, _ label: String) throws {
    if let found = operand.rank, found != rank { throw Defect("input \(label) has \(found) axes; expected \(rank)") }
  }
}
