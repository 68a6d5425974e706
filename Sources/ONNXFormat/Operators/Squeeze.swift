import RelevanceNetworks

extension NodeReader {
  /// Squeeze: axes are an input since opset 13. Without them, it removes all axes of extent 1.
  func squeeze() throws -> Imported {
    let data = try operand(0, "data")
    let axes = try integers("axes", inputSince: 13, input: 1)
    return .node(Squeeze(axes: try axes.map { try distinct($0, rank: data.rank) }), [data])
  }
}

extension Squeeze: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    [file.inputs(of: id)[0], file.list(axes.map { .fixed($0) }, "axes", of: id)]
  }
}
