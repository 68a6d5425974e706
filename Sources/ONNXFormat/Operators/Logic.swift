import Networks
import Tensors

extension RangeOf: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) { file.finish(id, WrittenNode("Range", file.inputs(of: id))) }
}

extension Comparison: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode(relation.rawValue, file.inputs(of: id)))
  }
}

extension Logic: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode(operation.rawValue, file.graph[id].inputs.map { file.truth($0) }))
  }
}

extension Where: WritableOperator {
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.finish(id, WrittenNode("Where", [file.truth(file.graph[id].inputs[0])] + file.inputs(of: id).dropFirst()))
  }
}

extension GraphWriter {
  /// What a node's output is called as truth values.
  fileprivate mutating func truth(_ id: Node.ID) -> String {
    if kinds[id.index] == .truth { return values[id.index] }
    if case .integers(let tensor)? = (graph[id].operation as? Constant)?.value {
      let name = freshValue("\(graph[id].name).truth")
      constant(IntegerTensor(shape: tensor.shape, elements: tensor.elements, kind: .truth), named: name)
      return name
    }
    return helper(.cast(values[id.index], to: .truth), named: "\(graph[id].name).truth")
  }
}
