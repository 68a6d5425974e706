import Networks

extension NodeReader {
  /// LayerNormalization with constant scale and shift.
  func layerNormalization() throws -> Imported {
    let normalization = LayerNormalization(
      axis: try attributes.int("axis", default: -1), scale: try weights(1, "Scale").floats(),
      shift: try optionalWeights(2, "B")?.floats(), epsilon: try attributes.float("epsilon", default: 1e-5))
    return .node(normalization, [try operand(0, "X")])
  }
}

extension LayerNormalization: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    var operands = [file.inputs(of: id)[0], file.parameter(scale, "scale", of: id)]
    if let shift { operands.append(file.parameter(shift, "shift", of: id)) }
    let attributes: [WrittenNode.Attribute] = [.init("axis", .int(axis)), .init("epsilon", .float(epsilon))]
    file.finish(id, WrittenNode("LayerNormalization", operands, attributes))
  }
}
