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
  private var isDilated: Bool { window.dilations.contains { $0 != 1 } }
  /// Dilations are newer than the operator.
  var opset: Int { window.canStartBehindInput ? 22 : isDilated ? 19 : 0 }
  var attributes: [WrittenNode.Attribute] {
    window.attributes.filter { isDilated || $0.name != "dilations" }
      + [("ceil_mode", .flag(window.ceilMode)), ("count_include_pad", .flag(countsPadding))]
  }
}
