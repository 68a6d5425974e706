import RelevanceNetworks

extension NodeReader {
  /// Reshape to a shape that is constant or follows from shapes. The shape is an attribute before opset 5; `allowzero`
  /// exists since opset 14.
  func reshape() throws -> Imported {
    let data = try operand(0, "data")
    if opset < 5 {
      let extents = try attributes.present(attributes.ints("shape"), "shape")
      return .node(Reshape(extents: .fixed(extents), allowZero: false), [data])
    }
    let extents = try operand(1, "shape")
    if case .constant(let tensor) = extents, tensor.shape.rank > 1 {
      throw Defect("shape, \(shown(tensor.name)), has shape \(tensor.shape); expected a list")
    }
    var taken = [data]
    let shape = try list(extents, in: &taken)
    return .node(Reshape(extents: shape, allowZero: try attributes.flag("allowzero")), taken)
  }
}

extension Reshape: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    [file.inputs(of: id)[0], file.list(extents, "shape", of: id)]
  }
  var attributes: [WrittenNode.Attribute] { allowZero ? [("allowzero", .int(1))] : [] }
}
