import RelevanceNetworks

extension NodeReader {
  /// MaxPool, with dilations since opset 10. Its second output is not supported.
  func maxPool() throws -> Imported {
    let x = try operand(0, "X")
    guard try attributes.int("storage_order") ?? 0 == 0 else {
      throw Unsupported("storage_order is 1, which only affects the second output; expected 0")
    }
    let window = try poolingWindow(x)
    return try window.kernel.count > 2 ? volumePool(x, window) { MaxPool($0) } : .node(MaxPool(window), [x])
  }
}

extension MaxPool: WritableOperator {
  /// MaxPool. Integers are cast to real numbers in between.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    if window.canStartBehindInput { file.require(opset: 22) }
    let input = file.inputs(of: id)[0]
    let attributes = window.attributes + [("ceil_mode", .flag(window.ceilMode))]
    guard file.kinds[id.index] != .real else { return file.finish(id, WrittenNode("MaxPool", [input], attributes)) }
    let own = file.graph[id].name
    let real = file.helper(.cast(input, to: .real), named: "\(own).real")
    let result = file.valueNames.unique("\(own).pooled")
    file.add(WrittenNode("MaxPool", [real], attributes), named: own, to: [result])
    file.add(
      .cast(result, to: file.kinds[id.index]), named: file.nodeNames.unique("\(own).cast"), to: [file.values[id.index]])
    file.described.append(id)
  }
}
