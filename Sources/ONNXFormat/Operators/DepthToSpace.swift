import Networks

extension NodeReader {
  /// DepthToSpace; `mode` since opset 11. SpaceToDepth.
  func depthToSpace(inverse: Bool) throws -> Imported {
    guard let block = try attributes.int("blocksize") else { throw Defect("attribute blocksize is missing") }
    let mode = try inverse ? nil : attributes.string("mode")
    guard let order = DepthToSpace.Order(rawValue: mode ?? "DCR") else {
      throw Defect("mode is \(shown(mode ?? "")); expected DCR or CRD")
    }
    let x = try operand(0, "input")
    try expect(x, rank: 4, "input")
    return .node(DepthToSpace(block: block, order: order, inverse: inverse), [x])
  }
}

extension DepthToSpace: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    var attributes = [WrittenNode.Attribute("blocksize", .int(block))]
    if !isInverse { attributes.append(.init("mode", .string(order.rawValue))) }
    file.finish(id, WrittenNode(kind.name, file.inputs(of: id), attributes))
  }
}
