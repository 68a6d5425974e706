import Networks

extension NodeReader {
  /// AveragePool: dilations since opset 19.
  func averagePool() throws -> Imported {
    let x = try operand(0, "X")
    let pool = AveragePool(window: try poolingWindow(x), countsPadding: try attributes.flag("count_include_pad"))
    return .node(pool, [x])
  }
}

extension AveragePool: WritableOperator {
  /// AveragePool, whose dilations are newer than itself.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    if window.canStartBehindInput { file.require(opset: 22) }
    var attributes = window.attributes
    if window.dilations.allSatisfy({ $0 == 1 }) {
      attributes.removeAll { $0.name == "dilations" }
    } else {
      file.require(opset: 19)
    }
    attributes.append(.init("ceil_mode", .int(window.ceilMode ? 1 : 0)))
    attributes.append(.init("count_include_pad", .int(countsPadding ? 1 : 0)))
    file.finish(id, WrittenNode("AveragePool", file.inputs(of: id), attributes))
  }
}
