import RelevanceNetworks
import RelevanceTensors

/// An operator with its form in an ONNX file. Elementwise and pairwise functions without parameters do not need to
/// conform.
protocol WritableOperator: RelevanceNetworks.Operator {
  /// The operator's ONNX name; by default the name of its kind.
  var writtenName: String { get }
  /// The opset that introduced the operator; by default the oldest.
  var opset: Int { get }
  var attributes: [WrittenNode.Attribute] { get }
  /// The names of the operator's inputs in the file; by default the names of its operands.
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String]
  /// Writes a node with the operator as a node of the file, plus a few auxiliary nodes if necessary.
  func write(to file: inout GraphWriter, as id: Node.ID)
}

extension WritableOperator {
  var writtenName: String { kind.name }
  var opset: Int { 0 }
  var attributes: [WrittenNode.Attribute] { [] }
  func operands(in file: inout GraphWriter, of id: Node.ID) -> [String] {
    // ONNX computes functions of integers in integers, and this package in real numbers.
    let makesReal = self is any ElementwiseFunction && file.kinds[id.index] == .real
    return makesReal ? [file.realOperand(of: id)] : file.inputs(of: id)
  }
  func write(to file: inout GraphWriter, as id: Node.ID) {
    file.require(opset: opset)
    file.finish(id, WrittenNode(writtenName, operands(in: &file, of: id), attributes))
  }
}

extension GraphWriter {
  mutating func write(_ id: Node.ID) {
    switch graph[id].operation {
    case is Input: break
    case let operation as any WritableOperator: operation.write(to: &self, as: id)
    case is any ElementwiseFunction where kinds[id.index] == .real:
      finish(id, WrittenNode(graph[id].kind.name, [realOperand(of: id)]))
    case is any ElementwiseFunction, is any PairwiseFunction:
      finish(id, WrittenNode(graph[id].kind.name, inputs(of: id)))
    case let operation: preconditionFailure("\(operation.kind) can be read but not written")
    }
  }

  func inputs(of id: Node.ID) -> [String] { graph[id].inputs.map { values[$0.index] } }

  func rank(ofOperandOf id: Node.ID) -> Int { extents.shapes[graph[id].inputs[0].index].extents.count }

  /// The names of a node's only operand and of numbers that belong to the node.
  mutating func operand(of id: Node.ID, with parameters: [(name: String, tensor: Tensor?)]) -> [String] {
    let given = parameters.compactMap { name, tensor in tensor.map { parameter($0, name, of: id) } }
    return [realOperand(of: id)] + given
  }

  /// The name of a node's only operand, cast to real numbers: layers here also accept integers.
  mutating func realOperand(of id: Node.ID) -> String {
    let operand = graph[id].inputs[0].index
    guard kinds[operand] != .real else { return values[operand] }
    return helper(.cast(values[operand], to: .real), named: "\(graph[id].name).real")
  }

  /// The names of the operand, the weights and, if there are any, the biases of a layer.
  mutating func layerOperands(_ layer: some WeightedOperator, of id: Node.ID) -> [String] {
    operand(of: id, with: [("weight", layer.weight), ("bias", layer.bias)])
  }

  /// The name of integers that are fixed or that an operand contains; empty if they are omitted.
  mutating func list(_ list: List?, _ name: String, of id: Node.ID) -> String {
    switch list {
    case nil: ""
    case .fixed(let numbers): parameter(IntegerTensor(numbers), name, of: id)
    case .operand(let index): values[graph[id].inputs[index].index]
    }
  }
}

extension WrittenNode {
  static func cast(_ input: String, to kind: ElementKind) -> WrittenNode {
    WrittenNode("Cast", [input], [("to", .int(Int(ElementType(kind).number)))])
  }
}
