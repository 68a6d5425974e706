import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// Initializers and Constant nodes in every supported encoding.
@Suite struct ConstantTensorTests {
  static let values: [Float] = [1, -2, 0.5, 3]

  @Test(arguments: 0..<8)
  func floatsAreReadAtAnyAlignment(shift: Int) throws {
    #expect(try Self.read(.floats("w", [4], Self.values), shift: shift).elements == Self.values)
  }

  @Test func someAlignmentBorrowsAndOthersCopy() throws {
    let writable = try Set(
      (0..<4).map { try Self.read(.floats("w", [4], Self.values), shift: $0).storage.writable })
    #expect(writable == [false, true])
  }

  @Test func typedFieldsAreReadPackedInPartsAndOneByOne() throws {
    var packed = WireTensor(name: "w", dims: [4])
    packed.typed.data(4, littleEndian(Self.values))
    var parts = WireTensor(name: "w", dims: [4])
    parts.typed.data(4, littleEndian(Array(Self.values[..<1])))
    parts.typed.data(4, littleEndian(Array(Self.values[1...])))
    var single = WireTensor(name: "w", dims: [4])
    for value in Self.values { single.typed.float(4, value) }
    for tensor in [packed, parts, single] { #expect(try Self.read(tensor).elements == Self.values) }
  }

  @Test func doublesBecomeFloats() throws {
    let doubles = Self.values.map(Double.init)
    let raw = WireTensor(name: "w", dims: [4], type: 11, raw: littleEndian(doubles))
    var packed = WireTensor(name: "w", dims: [4], type: 11)
    packed.typed.data(10, littleEndian(doubles))
    var parts = WireTensor(name: "w", dims: [4], type: 11)
    parts.typed.data(10, littleEndian(Array(doubles[..<3])))
    parts.typed.data(10, littleEndian(Array(doubles[3...])))
    for tensor in [raw, packed, parts] { #expect(try Self.read(tensor).elements == Self.values) }
  }

  @Test func integersAreReadInEveryType() throws {
    let raw64 = WireTensor.integers("s", [1, -1])
    var typed64 = WireTensor(name: "s", dims: [2], type: 7)
    typed64.typed.int(7, 1)
    typed64.typed.int(7, -1)
    let raw32 = WireTensor(name: "s", dims: [2], type: 6, raw: littleEndian([Int32(1), -1]))
    var typed32 = WireTensor(name: "s", dims: [2], type: 6)
    typed32.typed.int(5, 1)
    typed32.typed.int(5, -1)
    for tensor in [raw64, typed64, raw32, typed32] {
      let graph = try ONNXFile(WireModel.oneNode("Reshape", ["s"], initializers: [tensor]).bytes).graph
      guard let reshape = graph.nodes[1].operation as? Reshape else {
        Issue.record("not a Reshape")
        continue
      }
      #expect(reshape.extents == [1, -1])
    }
  }

  @Test func scalarsAndEmptyTensors() throws {
    #expect(try Self.read(.floats("w", [], [7])).shape == [])
    #expect(try Self.read(WireTensor(name: "w", dims: [0, 3])).count == 0)
    #expect(try Self.read(.floats("w", [0, 3], [])).count == 0)
  }

  @Test(arguments: [
    ("value", WireAttribute.tensor(.floats("", [2], [1, 2])), [2], [1, 2]),
    ("value_float", .float(3), [], [3]), ("value_floats", .floats([4, 5]), [2], [4, 5]),
  ])
  func constantNodes(name: String, value: WireAttribute, shape: [Int], elements: [Float]) throws {
    let constant = WireNode(op: "Constant", inputs: [], outputs: ["c"], name: "made", attributes: [(name, value)])
    let add = WireNode(op: "Add", inputs: ["x", "c"], outputs: ["y"])
    let graph = try ONNXFile(WireModel(nodes: [constant, add]).bytes).graph
    #expect(graph.nodes.map(\.name) == ["x", "made", "y"])
    guard let tensor = (graph.nodes[1].operation as? Constant)?.tensor else {
      Issue.record("not a constant")
      return
    }
    #expect(tensor.shape.dimensions == shape)
    #expect(tensor.elements == elements)
  }

  @Test func aConstantThroughIdentityAndDropoutStaysOneConstant() throws {
    var model = WireModel.oneNode("Identity")
    model.initializers = [.floats("w", [2, 2, 1, 1], [1, 2, 3, 4])]
    model.nodes = [
      WireNode(op: "Identity", inputs: ["w"], outputs: ["w1"]),
      WireNode(op: "Dropout", inputs: ["w1"], outputs: ["w2"]),
      WireNode(op: "Conv", inputs: ["x", "w2"], outputs: ["a"]),
      WireNode(op: "Add", inputs: ["a", "w"], outputs: ["b"]),
      WireNode(op: "Mul", inputs: ["b", "w1"], outputs: ["y"]),
    ]
    let graph = try ONNXFile(model.bytes).graph
    #expect(graph.nodes.map(\.name) == ["x", "a", "w", "b", "y"])
  }

  /// The tensor as the constant operand of an Add. The length of its name moves everything after it by `shift` bytes.
  static func read(_ tensor: WireTensor, shift: Int = 0) throws -> Tensor {
    var model = WireModel.oneNode("Add", [tensor.name], initializers: [tensor])
    model.nodes[0].name += String(repeating: "!", count: shift)
    let graph = try ONNXFile(model.bytes).graph
    guard let value = (graph.nodes[1].operation as? Constant)?.tensor else { throw NotAConstant() }
    return value
  }

  struct NotAConstant: Error {}
}
