import RelevanceNetworks

extension RangeOf: WritableOperator {}

extension Comparison: WritableOperator {
  var writtenName: String { relation.rawValue }
}

extension Logic: WritableOperator {
  var writtenName: String { operation.rawValue }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] { file.graph[id].inputs.map { file.truth($0) } }
}

extension Not: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] { file.graph[id].inputs.map { file.truth($0) } }
}

extension Where: WritableOperator {
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    [file.truth(file.graph[id].inputs[0])] + file.inputs(of: id).dropFirst()
  }
}

extension GraphWriter {
  fileprivate mutating func truth(_ id: Node.ID) -> String {
    if kinds[id.index] == .truth { return values[id.index] }
    if case .integers(let tensor)? = (graph[id].operation as? Constant)?.value {
      let name = valueNames.unique("\(graph[id].name).truth")
      constant(IntegerTensor(shape: tensor.shape, elements: tensor.elements, kind: .truth), named: name)
      return name
    }
    return helper(.cast(values[id.index], to: .truth), named: "\(graph[id].name).truth")
  }
}
