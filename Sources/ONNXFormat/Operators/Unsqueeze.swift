import Networks

extension NodeReader {
  /// Unsqueeze: axes are an input since opset 13.
  func unsqueeze() throws -> Imported {
    let data = try operand(0, "data")
    guard let axes = try integers("axes", inputSince: 13, input: 1) else { throw Defect("axes are missing") }
    return .node(Unsqueeze(axes: try distinct(axes, rank: data.rank.map { $0 + axes.count })), [data])
  }
}

extension Unsqueeze: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Unsqueeze", [file.inputs(of: id)[0], file.integers(axes, "axes", of: id)]))
  }
}
