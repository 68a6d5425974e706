import RelevanceNetworks

extension NodeReader {
  /// AveragePool: dilations since opset 19.
  func averagePool() throws -> Imported {
    let x = try operand(0, "X")
    let (window, countsPadding) = (try poolingWindow(x), try attributes.flag("count_include_pad"))
    func pool(_ window: Window) -> AveragePool { AveragePool(window: window, countsPadding: countsPadding) }
    return try window.kernel.count > 2 ? volumePool(x, window, pool) : .node(pool(window), [x])
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
