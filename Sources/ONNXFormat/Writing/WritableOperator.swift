import COnnx
import Networks

/// An operator that says how it is written. Functions of elements without parameters, and of pairs of them, need not.
protocol WritableOperator: Networks.Operator {
  /// Writes a node with the operator as a node of the file and, where that is needed, a few more around it.
  func write(to file: inout GraphWriter, as id: Node.ID)
}

extension GraphWriter {
  /// Writes a node of the graph.
  mutating func write(_ id: Node.ID) {
    switch graph[id].operation {
    case is Input: break
    case let operation as any WritableOperator: operation.write(to: &self, as: id)
    case is any ElementwiseFunction, is any PairwiseFunction:
      finish(id, WrittenNode(graph[id].kind.name, inputs(of: id)))
    case let operation: preconditionFailure("\(operation.kind) is read and cannot be written")
    }
  }

  /// What the operands of a node are called.
  func inputs(of id: Node.ID) -> [String] { graph[id].inputs.map { values[$0.index] } }

  /// The number of axes of a node's first operand.
  func rank(ofOperandOf id: Node.ID) -> Int { extents.shapes[graph[id].inputs[0].index].extents.count }

  /// What the operand, the weights and, if there are any, the biases of a layer are called.
  mutating func layerOperands(_ layer: some WeightedOperator, of id: Node.ID) -> [String] {
    let operands = [inputs(of: id)[0], parameter(layer.weight, "weight", of: id)]
    return operands + (layer.bias.map { [parameter($0, "bias", of: id)] } ?? [])
  }

  /// What integers are called that are fixed, or that an operand holds.
  mutating func list(_ list: List, _ name: String, of id: Node.ID) -> String {
    switch list {
    case .fixed(let numbers): integers(numbers, name, of: id)
    case .operand(let index): values[graph[id].inputs[index].index]
    }
  }
}

extension WrittenNode {
  /// Elements as another kind.
  static func cast(_ input: String, to kind: ElementKind) -> WrittenNode {
    WrittenNode("Cast", [input], [.init("to", .int(Int(kind.elementType.rawValue)))])
  }
}
