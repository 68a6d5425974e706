import Networks

extension NodeReader {
  /// ReduceMean: axes are an input since opset 18; without them all axes, unless `noop_with_empty_axes` is set.
  func reduceMean() throws -> Imported {
    let data = try operand(0, "data")
    var axes = try integers("axes", inputSince: 18, input: 1) ?? []
    if axes.isEmpty {
      if try attributes.flag("noop_with_empty_axes") { return .node(Identity(), [data]) }
      let rank = try rank(
        of: data, else: "a mean over all axes of a tensor whose number of axes is not known beforehand")
      axes = Array(0..<rank)
    }
    let mean = Mean(
      axes: try distinct(axes, rank: data.rank), keepsAxes: try attributes.flag("keepdims", default: true))
    return .node(mean, [data])
  }

  /// GlobalAveragePool: the mean over all axes but batch and channels.
  func globalAveragePool() throws -> Imported {
    let x = try operand(0, "X")
    let rank = try rank(of: x, else: "its input's number of axes is not known beforehand")
    guard rank >= 3 else { throw Defect("input X has \(rank) axes; expected batch × channels × space") }
    return .node(Mean(axes: Array(2..<rank), keepsAxes: true), [x])
  }
}

extension Mean: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let rank = file.rank(ofOperandOf: id)
    let axes = self.axes.map { $0 < 0 ? $0 + rank : $0 }.sorted()
    let input = file.inputs(of: id)[0]
    if keepsAxes, rank >= 3, axes == Array(2..<rank), file.kinds[id.index] == .real {
      return file.finish(id, WrittenNode("GlobalAveragePool", [input]))
    }
    file.require(opset: 18)
    let keeps = WrittenNode.Attribute("keepdims", .int(keepsAxes ? 1 : 0))
    file.finish(id, WrittenNode("ReduceMean", [input, file.integers(axes, "axes", of: id)], [keeps]))
  }
}
