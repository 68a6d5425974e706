/// The attributes of a node, read by name and type.
///
/// Every reader throws a `Defect` if the attribute is there but of another type.
struct Attributes {
  private let list: [String: UnsafePointer<AttributeProto>]

  init(of node: UnsafePointer<NodeProto>) throws {
    var list: [String: UnsafePointer<AttributeProto>] = [:]
    for attribute in messages(node.pointee.n_attribute, node.pointee.attribute) {
      let name = text(attribute.pointee.name)
      guard list.updateValue(attribute, forKey: name) == nil else {
        throw Defect("attribute \(shown(name)) occurs twice; expected it once")
      }
    }
    self.list = list
  }

  /// The types of attributes, by their number in ONNX.
  private static let typeNames = [
    "UNDEFINED", "FLOAT", "INT", "STRING", "TENSOR", "GRAPH", "FLOATS", "INTS", "STRINGS", "TENSORS", "GRAPHS",
    "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS",
  ]

  func has(_ name: String) -> Bool { list[name] != nil }

  func required(_ name: String) throws -> Int { try present(int(name), name) }

  func present<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw Defect("attribute \(name) is missing") }
    return value
  }

  func int(_ name: String) throws -> Int? { try find(name, "INT", { $0.has_i != 0 }).map { Int($0.pointee.i) } }

  func flag(_ name: String, default value: Bool = false) throws -> Bool {
    switch try int(name) {
    case nil: value
    case 0: false
    case 1: true
    case .some(let found): throw Defect("attribute \(name) is \(found); expected 0 or 1")
    }
  }

  func float(_ name: String) throws -> Float? { try find(name, "FLOAT", { $0.has_f != 0 }).map { $0.pointee.f } }

  func string(_ name: String) throws -> String? {
    try find(name, "STRING", { $0.has_s != 0 }).map {
      printable(String(decoding: UnsafeBufferPointer(start: $0.pointee.s.data, count: $0.pointee.s.len), as: UTF8.self))
    }
  }

  func ints(_ name: String) throws -> [Int]? {
    try find(name, "INTS", { $0.n_ints > 0 }).map { numbers($0.pointee.n_ints, $0.pointee.ints).map { Int($0) } }
  }

  func floats(_ name: String) throws -> [Float]? {
    try find(name, "FLOATS", { $0.n_floats > 0 }).map { Array(numbers($0.pointee.n_floats, $0.pointee.floats)) }
  }

  func tensor(_ name: String) throws -> UnsafePointer<TensorProto>? {
    try find(name, "TENSOR", { $0.t != nil }).map { UnsafePointer(try held($0.pointee.t, name)) }
  }

  func sparseTensor(_ name: String) throws -> UnsafePointer<SparseTensorProto>? {
    try find(name, "SPARSE_TENSOR", { $0.sparse_tensor != nil }).map {
      UnsafePointer(try held($0.pointee.sparse_tensor, name))
    }
  }

  func graph(_ name: String) throws -> UnsafePointer<GraphProto>? {
    try find(name, "GRAPH", { $0.g != nil }).map { UnsafePointer(try held($0.pointee.g, name)) }
  }

  private func held<Value>(_ value: Value?, _ name: String) throws -> Value {
    guard let value else { throw Defect("attribute \(name) has no value") }
    return value
  }

  private func find(
    _ name: String, _ type: String, _ isFilled: (AttributeProto) -> Bool
  ) throws -> UnsafePointer<AttributeProto>? {
    guard let attribute = list[name] else { return nil }
    // Early writers left out the type. Then the field that has a value determines it.
    guard attribute.pointee.has_type != 0 else {
      guard isFilled(attribute.pointee) else { throw Defect("attribute \(name) has no value of type \(type)") }
      return attribute
    }
    let number = Int(attribute.pointee.type.rawValue)
    let found = Self.typeNames.indices.contains(number) ? Self.typeNames[number] : "number \(number)"
    guard found == type else { throw Defect("attribute \(shown(name)) is of type \(found); expected \(type)") }
    return attribute
  }
}
