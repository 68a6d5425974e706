import Networks

extension NodeReader {
  /// The axes of Softmax and LogSoftmax: before opset 13 all from `axis` on (default 1), since then `axis` (default −1).
  func softmax() throws -> Softmax {
    let joins = opset < 13
    return Softmax(axis: try attributes.int("axis", default: joins ? 1 : -1), joinsTrailingAxes: joins)
  }
}

extension Softmax: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.write(self, named: "Softmax", as: id)
  }
}

extension LogSoftmax: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) { file.write(softmax, named: "LogSoftmax", as: id) }
}

extension GraphWriter {
  /// Softmax or its logarithm over one axis. One that joins axes, as ONNX's did before opset 13, becomes one over a matrix, unless
  /// all axes but one have extent 1.
  fileprivate mutating func write(_ softmax: Softmax, named name: String, as id: Node.ID) {
    let input = inputs(of: id)[0]
    let x = extents.shapes[graph[id].inputs[0].index].extents
    let axis = softmax.axis < 0 ? softmax.axis + x.count : softmax.axis
    let long = (axis..<max(x.count, axis)).filter { x[$0] != .fixed(1) }
    if !softmax.joinsTrailingAxes || long.count <= 1 {
      return finish(id, WrittenNode(name, [input], [.init("axis", .int(long.first ?? axis))]))
    }
    let own = graph[id].name
    let matrix = helper(WrittenNode("Flatten", [input], [.init("axis", .int(axis))]), named: "\(own).flatten")
    let result = freshValue("\(own).matrix")
    add(WrittenNode(name, [matrix], [.init("axis", .int(1))]), named: own, to: [result])
    let shape = helper(WrittenNode("Shape", [input]), named: "\(own).shape")
    add(WrittenNode("Reshape", [result, shape]), named: freshNode("\(own).reshape"), to: [values[id.index]])
    describe(id)
  }
}
