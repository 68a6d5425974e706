import CRelevanceONNX

/// A node of a file as plain data.
struct WrittenNode {
  let op: String
  let inputs: [String]
  var attributes: [Attribute] = []

  enum Value {
    case int(Int)
    case float(Float)
    case string(String)
    case ints([Int])
    case tensor(UnsafeMutablePointer<TensorProto>)
  }

  typealias Attribute = (name: String, value: Value)

  init(_ op: String, _ inputs: [String], _ attributes: [Attribute] = []) {
    self.op = op
    // Omitted inputs at the end need no empty names.
    self.inputs = Array(inputs[..<(inputs.lastIndex { !$0.isEmpty }.map { $0 + 1 } ?? 0)])
    self.attributes = attributes
  }

  func message(named name: String, outputs: [String], in arena: MessageArena) -> UnsafeMutablePointer<NodeProto> {
    let node = arena.message(onnx__node_proto__init)
    node.pointee.name = arena.string(name)
    node.pointee.op_type = arena.string(op)
    (node.pointee.n_input, node.pointee.input) = arena.repeated(inputs.map(arena.string))
    (node.pointee.n_output, node.pointee.output) = arena.repeated(outputs.map(arena.string))
    let written = attributes.map { $1.message(named: $0, in: arena) }
    (node.pointee.n_attribute, node.pointee.attribute) = arena.repeated(written)
    return node
  }
}

extension WrittenNode.Value {
  static func flag(_ isSet: Bool) -> Self { .int(isSet ? 1 : 0) }

  fileprivate func message(named name: String, in arena: MessageArena) -> UnsafeMutablePointer<AttributeProto> {
    let attribute = arena.message(onnx__attribute_proto__init)
    attribute.pointee.name = arena.string(name)
    attribute.pointee.has_type = 1
    switch self {
    case .float(let number):
      attribute.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
      attribute.pointee.has_f = 1
      attribute.pointee.f = number
    case .int(let number):
      attribute.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT
      attribute.pointee.has_i = 1
      attribute.pointee.i = Int64(number)
    case .string(let text):
      attribute.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
      attribute.pointee.has_s = 1
      (attribute.pointee.s.len, attribute.pointee.s.data) = arena.repeated(Array(text.utf8))
    case .tensor(let tensor):
      attribute.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR
      attribute.pointee.t = tensor
    case .ints(let numbers):
      attribute.pointee.type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
      (attribute.pointee.n_ints, attribute.pointee.ints) = arena.repeated(numbers.map { Int64($0) })
    }
    return attribute
  }
}
