import RelevanceNetworks

extension NodeReader {
  /// Unsqueeze: axes are an input since opset 13.
  func unsqueeze() throws -> Imported {
    let data = try operand(0, "data")
    guard let axes = try integers("axes", inputSince: 13, input: 1) else { throw Defect("axes are missing") }
    return .node(Unsqueeze(axes: try distinct(axes, rank: data.rank.map { $0 + axes.count })), [data])
  }
}

extension Unsqueeze: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    [file.inputs(of: id)[0], file.list(.fixed(axes), "axes", of: id)]
  }
}
