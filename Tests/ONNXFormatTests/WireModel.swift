import Foundation
import RelevanceNetworks
import RelevanceONNXFormat

/// Builds a protobuf message: enough of the wire format to write valid and invalid ONNX models for tests.
struct WireMessage {
  var bytes: [UInt8] = []

  static func varint(_ value: UInt64) -> [UInt8] {
    var value = value
    var bytes: [UInt8] = []
    while value > 0x7f {
      bytes.append(UInt8(value & 0x7f) | 0x80)
      value >>= 7
    }
    return bytes + [UInt8(value)]
  }

  mutating func key(_ field: Int, wireType: Int) { bytes += Self.varint(UInt64(field << 3 | wireType)) }

  mutating func int(_ field: Int, _ value: Int) {
    key(field, wireType: 0)
    bytes += Self.varint(UInt64(bitPattern: Int64(value)))
  }

  mutating func float(_ field: Int, _ value: Float) {
    key(field, wireType: 5)
    bytes += littleEndian([value])
  }

  mutating func data(_ field: Int, _ value: [UInt8]) {
    key(field, wireType: 2)
    bytes += Self.varint(UInt64(value.count)) + value
  }

  mutating func string(_ field: Int, _ value: String) { data(field, Array(value.utf8)) }
  mutating func message(_ field: Int, _ value: WireMessage) { data(field, value.bytes) }
}

/// The bytes of numbers in the file format.
func littleEndian<Number>(_ numbers: [Number]) -> [UInt8] { numbers.withUnsafeBytes { Array($0) } }

/// An attribute of a node in a test model.
enum WireAttribute {
  case float(Float)
  case int(Int)
  case string(String)
  case tensor(WireTensor)
  case graph(WireMessage)
  case floats([Float])
  case ints([Int])

  func message(named name: String) -> WireMessage {
    var message = WireMessage()
    message.string(1, name)
    switch self {
    case .float(let value):
      message.float(2, value)
      message.int(20, 1)
    case .int(let value):
      message.int(3, value)
      message.int(20, 2)
    case .string(let value):
      message.string(4, value)
      message.int(20, 3)
    case .tensor(let value):
      message.message(5, value.message)
      message.int(20, 4)
    case .graph(let value):
      message.message(6, value)
      message.int(20, 5)
    case .floats(let values):
      for value in values { message.float(7, value) }
      message.int(20, 6)
    case .ints(let values):
      for value in values { message.int(8, value) }
      message.int(20, 7)
    }
    return message
  }
}

/// A node of a test model.
struct WireNode {
  var op: String
  var inputs: [String]
  var outputs: [String]
  var name = ""
  var domain = ""
  var attributes: [(String, WireAttribute)] = []

  var message: WireMessage {
    var message = WireMessage()
    for input in inputs { message.string(1, input) }
    for output in outputs { message.string(2, output) }
    if !name.isEmpty { message.string(3, name) }
    message.string(4, op)
    for (name, attribute) in attributes { message.message(5, attribute.message(named: name)) }
    if !domain.isEmpty { message.string(7, domain) }
    return message
  }
}

/// A tensor of a test model. The types are ONNX's numbers: FLOAT 1, INT32 6, INT64 7, BOOL 9, FLOAT16 10, DOUBLE 11.
struct WireTensor {
  var name = ""
  var dims: [Int]
  var type = 1
  /// Field 9.
  var raw: [UInt8]?
  /// Field 13: keys and values.
  var external: [(String, String)] = []
  /// Fields that a test writes itself.
  var typed = WireMessage()

  var message: WireMessage {
    var message = WireMessage()
    for extent in dims { message.int(1, extent) }
    message.int(2, type)
    if !name.isEmpty { message.string(8, name) }
    if let raw { message.data(9, raw) }
    message.bytes += typed.bytes
    for (key, value) in external {
      var entry = WireMessage()
      entry.string(1, key)
      entry.string(2, value)
      message.message(13, entry)
    }
    if !external.isEmpty { message.int(14, 1) }
    return message
  }

  static func floats(_ name: String, _ dims: [Int], _ values: [Float]) -> WireTensor {
    WireTensor(name: name, dims: dims, raw: littleEndian(values))
  }

  static func integers(_ name: String, _ values: [Int]) -> WireTensor {
    WireTensor(name: name, dims: [values.count], type: 7, raw: littleEndian(values.map { Int64($0) }))
  }
}

/// A model with input `x` and output `y`.
struct WireModel {
  var opset: Int? = 13
  var nodes: [WireNode] = []
  var initializers: [WireTensor] = []
  /// Names and extents; negative extents are symbolic.
  var inputs: [(String, [Int])] = [("x", [1, 2, 4, 4])]
  /// The same for inputs of 64-bit integers.
  var integerInputs: [(String, [Int])] = []
  var outputs = ["y"]
  /// The extents of the outputs that declare them.
  var outputExtents: [String: [Int]] = [:]

  var graph: WireMessage {
    var graph = WireMessage()
    for node in nodes { graph.message(1, node.message) }
    graph.string(2, "test")
    for tensor in initializers { graph.message(5, tensor.message) }
    for (name, extents) in inputs { graph.message(11, Self.value(name, extents)) }
    for (name, extents) in integerInputs { graph.message(11, Self.value(name, extents, type: 7)) }
    for name in outputs { graph.message(12, Self.value(name, outputExtents[name])) }
    return graph
  }

  var bytes: [UInt8] {
    var model = WireMessage()
    model.int(1, 7)
    if let opset {
      var entry = WireMessage()
      entry.int(2, opset)
      model.message(8, entry)
    }
    model.message(7, graph)
    return model.bytes
  }

  /// An input or output; nil extents are not declared.
  static func value(_ name: String, _ extents: [Int]?, type elements: Int = 1) -> WireMessage {
    var tensor = WireMessage()
    tensor.int(1, elements)
    if let extents {
      var shape = WireMessage()
      for extent in extents {
        var dimension = WireMessage()
        if extent < 0 { dimension.string(2, "n\(-extent)") } else { dimension.int(1, extent) }
        shape.message(1, dimension)
      }
      tensor.message(2, shape)
    }
    var type = WireMessage()
    type.message(1, tensor)
    var value = WireMessage()
    value.string(1, name)
    value.message(2, type)
    return value
  }

  /// A model with one node, whose inputs are `x` and any further ones, and whose output is `y`.
  static func oneNode(
    _ op: String, _ extra: [String] = [], opset: Int = 13, attributes: [(String, WireAttribute)] = [],
    initializers: [WireTensor] = [], input: [Int] = [1, 2, 4, 4]
  ) -> WireModel {
    let node = WireNode(op: op, inputs: ["x"] + extra, outputs: ["y"], name: "it", attributes: attributes)
    return WireModel(opset: opset, nodes: [node], initializers: initializers, inputs: [("x", input)])
  }
}

/// A folder for the files of one test, removed together with this object.
///
/// Models are loaded by its methods, so that the folder exists while they are read.
final class ScratchFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "onnx-format-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ bytes: [UInt8], as name: String) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// Creates a file of zeros that occupies no disk space.
  @discardableResult
  func writeZeros(_ count: Int, as name: String) throws -> String {
    let file = path + "/" + name
    guard FileManager.default.createFile(atPath: file, contents: nil) else { throw CocoaError(.fileWriteUnknown) }
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: file))
    try handle.truncate(atOffset: UInt64(count))
    try handle.close()
    return file
  }
}

extension ScratchFolder {
  /// The graph of a model, after writing it to the folder.
  func readGraph(_ model: WireModel) throws -> Graph {
    try ONNXFile(contentsOf: try write(model.bytes, as: "model.onnx")).graph
  }

  /// The network of the folder's `model.onnx`.
  func readNetwork() throws -> NeuralNetwork { try NeuralNetwork(contentsOf: path) }
}
