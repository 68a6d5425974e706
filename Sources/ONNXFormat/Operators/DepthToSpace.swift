import RelevanceNetworks

extension NodeReader {
  /// DepthToSpace, with a `mode` since opset 11, or SpaceToDepth, with a `mode` since opset 28.
  func depthToSpace(inverse: Bool) throws -> Imported {
    let block = try attributes.required("blocksize")
    let mode = try attributes.string("mode")
    guard let order = DepthToSpace.Order(rawValue: mode ?? "DCR") else {
      throw Defect("mode is \(shown(mode ?? "")); expected DCR or CRD")
    }
    let x = try operand(0, "input")
    try expect(x, rank: 4, "input")
    return .node(DepthToSpace(block: block, order: order, inverse: inverse), [x])
  }
}

extension DepthToSpace: WritableOperator {
  var attributes: [WrittenNode.Attribute] {
    [("blocksize", .int(block))] + (isInverse && order == .depthFirst ? [] : [("mode", .string(order.rawValue))])
  }
  var opset: Int { isInverse && order == .columnsFirst ? 28 : 0 }
}
