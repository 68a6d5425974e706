import RelevanceNetworks

extension NodeReader {
  /// The axes of Softmax and LogSoftmax: before opset 13 all axes from `axis` on (default 1), since then only `axis`
  /// (default −1).
  func softmax(isLogarithm: Bool) throws -> Softmax {
    let joins = opset < 13
    let axis = try attributes.int("axis") ?? (joins ? 1 : -1)
    return Softmax(axis: axis, joinsTrailingAxes: joins, isLogarithm: isLogarithm)
  }
}

extension Softmax: WritableOperator {
  /// Softmax over one axis. If it joins axes, as before opset 13, it becomes a softmax over a matrix, unless all axes
  /// except one have extent 1.
  func write(to file: inout GraphWriter, as id: Node.ID) {
    let (graph, input) = (file.graph, file.inputs(of: id)[0])
    let x = file.extents.shapes[graph[id].inputs[0].index].extents
    let axis = axis < 0 ? axis + x.count : axis
    let long = (axis..<max(x.count, axis)).filter { x[$0] != .fixed(1) }
    if !joinsTrailingAxes || long.count <= 1 {
      // If only one axis is longer than 1, softmax over that axis is equivalent.
      let written = joinsTrailingAxes ? long.first ?? axis : axis
      return file.finish(id, WrittenNode(kind.name, [input], [("axis", .int(written))]))
    }
    let own = graph[id].name
    let matrix = file.helper(WrittenNode("Flatten", [input], [("axis", .int(axis))]), named: "\(own).flatten")
    let result = file.valueNames.unique("\(own).matrix")
    file.add(WrittenNode(kind.name, [matrix], [("axis", .int(1))]), named: own, to: [result])
    let shape = file.helper(WrittenNode("Shape", [input]), named: "\(own).shape")
    let reshape = file.nodeNames.unique("\(own).reshape")
    file.add(WrittenNode("Reshape", [result, shape]), named: reshape, to: [file.values[id.index]])
    file.described.append(id)
  }
}
