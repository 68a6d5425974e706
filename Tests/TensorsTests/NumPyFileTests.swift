import Foundation
import RelevanceSupport
import RelevanceTensors
import RelevanceTestSupport
import Testing

/// `.npy` files in the form in which NumPy writes and reads them.
@Suite struct NumPyFileTests {
  /// The bytes of a file written by hand.
  private static func file(
    descr: String, fortran: Bool = false, shape: String, payload: [UInt8], version: UInt8 = 1
  ) -> Data {
    var header = "{'descr': '\(descr)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
    let prefix = version == 1 ? 10 : 12
    while (prefix + header.utf8.count + 1) % 64 != 0 { header += " " }
    header += "\n"
    let length = header.utf8.count
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [version, 0, UInt8(length & 255), UInt8(length >> 8)]
    if version > 1 { bytes += [0, 0] }
    return Data(bytes + Array(header.utf8) + payload)
  }

  private static func bytes<Number>(_ numbers: [Number]) -> [UInt8] { numbers.withUnsafeBytes { Array($0) } }

  /// Every element type, with values that reveal sign, size and byte order.
  @Test(
    arguments: [
      (
        "<f4", bytes([1.5, -2, Float.leastNonzeroMagnitude, 3e38] as [Float]),
        [1.5, -2, Float.leastNonzeroMagnitude, 3e38]
      ),
      ("<f8", bytes([1.5, -2, 0.1, 65537] as [Double]), [1.5, -2, 0.1, 65537]),
      ("<f2", [0x00, 0x3E, 0x00, 0xC0, 0x01, 0x00, 0xFF, 0x7B], [1.5, -2, 5.9604645e-08, 65504]),
      ("<i4", bytes([1, -2, 1 << 20, Int32.min] as [Int32]), [1, -2, 1_048_576, -2_147_483_648]),
      ("<i8", bytes([1, -2, 1 << 40, 0] as [Int64]), [1, -2, 1_099_511_627_776, 0]),
      ("|u1", [1, 128, 255, 0], [1, 128, 255, 0]),
    ] as [(String, [UInt8], [Float])])
  func readsEveryElementType(descr: String, payload: [UInt8], values: [Float]) throws {
    for version in [1, 2, 3] as [UInt8] {
      let tensor = try NumPyFile.decode(
        Self.file(descr: descr, shape: "(2, 2)", payload: payload, version: version), name: "a.npy")
      #expect(tensor == Tensor(shape: [2, 2], elements: values))
    }
  }

  /// In Fortran order, the first index varies fastest.
  @Test func readsFortranOrder() throws {
    let numbers = Self.bytes((0..<24).map(Float.init))
    let tensor = try NumPyFile.decode(
      Self.file(descr: "<f4", fortran: true, shape: "(2, 3, 4)", payload: numbers), name: "a.npy")
    #expect(tensor.shape == [2, 3, 4])
    for i in 0..<2 { for j in 0..<3 { for k in 0..<4 { #expect(tensor[i, j, k] == Float(i + 2 * j + 6 * k)) } } }
  }

  @Test(arguments: [("()", []), ("(3,)", [3]), ("(3, 1)", [3, 1]), ("(0, 3)", [0, 3]), ("(1,3,)", [1, 3])])
  func readsShapes(tuple: String, dimensions: [Int]) throws {
    let count = dimensions.reduce(1, *)
    let data = Self.file(descr: "<f4", shape: tuple, payload: Self.bytes([Float](repeating: 2, count: count)))
    #expect(try NumPyFile.decode(data, name: "a.npy") == Tensor(shape: TensorShape(dimensions), repeating: 2))
  }

  /// The bytes that NumPy's `save` writes for the same array.
  @Test func writesTheSameBytesAsNumPy() {
    let tensor = Tensor(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    let expected =
      Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, 118, 0]) + Data(padded.utf8)
      + Data(Self.bytes([0, 1, 2, 3, 4, 5] as [Float]))
    #expect(NumPyFile.encode(tensor) == expected)
  }

  @Test(arguments: [[], [1], [7], [0], [2, 3], [1, 3, 5, 7], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]])
  func writtenFilesAreReadBack(dimensions: [Int]) throws {
    let scratch = try Fixtures.Scratch()
    let tensor = Seeded.tensor(TensorShape(dimensions), seed: 1)
    try NumPyFile.write(tensor, to: scratch.path("a.npy"))
    #expect(try NumPyFile.read(scratch.path("a.npy")) == tensor)
    let data = NumPyFile.encode(tensor)
    #expect((data.count - tensor.count * 4) % 64 == 0)
    // A slice of other data, whose indices do not start at 0.
    #expect(try NumPyFile.decode((Data([1, 2, 3]) + data).dropFirst(3), name: "a.npy") == tensor)
  }

  @Test func infinitiesAndNaNArePreserved() throws {
    let tensor = Tensor(shape: [4], elements: [.infinity, -.infinity, .nan, -0.0])
    #expect(try NumPyFile.decode(NumPyFile.encode(tensor), name: "a").bits == tensor.bits)
  }

  // MARK: Errors

  @Test(arguments: [
    ("a.npy: not a .npy file: it does not start with \\x93NUMPY", Data()),
    ("a.npy: not a .npy file: it does not start with \\x93NUMPY", Data("NUMPY is not enough".utf8)),
    ("a.npy: not a .npy file: it does not start with \\x93NUMPY", Data([0x93] + Array("NUMPY".utf8) + [1, 0, 10])),
    (
      "a.npy: .npy with format version 4.0; expected 1.0 to 3.0",
      file(descr: "<f4", shape: "(1,)", payload: [0, 0, 0, 0], version: 4)
    ),
    (
      "a.npy: .npy with element type '>f4'; expected f4, f8, f2, i4, i8 or u1",
      file(descr: ">f4", shape: "(1,)", payload: [0, 0, 0, 0])
    ),
    (
      "a.npy: .npy with element type '<c8'; expected f4, f8, f2, i4, i8 or u1",
      file(descr: "<c8", shape: "(1,)", payload: [UInt8](repeating: 0, count: 8))
    ),
    (
      "a.npy: .npy with element type '|O'; expected f4, f8, f2, i4, i8 or u1",
      file(descr: "|O", shape: "(1,)", payload: [UInt8](repeating: 0, count: 8))
    ),
    ("a.npy: .npy with shape (2, x); expected a tuple of integers", file(descr: "<f4", shape: "(2, x)", payload: [])),
    (
      "a.npy: the .npy file ends early: expected at least 152 bytes, found 148",
      file(descr: "<f4", shape: "(2, 3)", payload: [UInt8](repeating: 0, count: 20))
    ),
    (
      "a.npy: the .npy file ends early: expected at least 128 bytes, found 100",
      file(descr: "<f4", shape: "(2, 3)", payload: []).prefix(100)
    ),
    (
      "[2, -3] is not a tensor shape; expected extents ≥ 0 whose product fits in memory",
      file(descr: "<f4", shape: "(2, -3)", payload: [])
    ),
    (
      "[4611686018427387904, 4] is not a tensor shape; expected extents ≥ 0 whose product fits in memory",
      file(descr: "<f4", shape: "(4611686018427387904, 4)", payload: [])
    ),
  ])
  func wrongFiles(sentence: String, data: Data) {
    let error =
      #expect(throws: (any Error).self) { try NumPyFile.decode(data, name: "a.npy") } as? any RelevanceKitError
    #expect(error?.description == sentence)
    #expect(error?.category == .badData)
  }

  @Test func wrongHeaders() {
    for (header, shown) in [
      ("{'descr': '<f4', 'shape': (1,), }", "{'descr': '<f4', 'shape': (1,), }"),
      (
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }"
      ),
      ("{'fortran_order': False, 'shape': (1,), }", "{'fortran_order': False, 'shape': (1,), }"),
      (
        "{'descr': '<f4', 'fortran_order': False, 'shape': [1], }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [1], }"
      ),
    ] {
      let bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.utf8.count + 1), 0]
      let data = Data(bytes + Array((header + "\n").utf8) + [0, 0, 0, 0])
      let error = #expect(throws: SimpleError.self) { try NumPyFile.decode(data, name: "a.npy") }
      #expect(error?.description == "a.npy: .npy with header \(shown); expected descr, fortran_order and shape")
    }
  }

  /// No prefix of a file is accepted as the whole file, and none crashes the reader.
  @Test func everyPrefixIsAnError() throws {
    let whole = NumPyFile.encode(Seeded.tensor([2, 3], seed: 1))
    for count in 0..<whole.count {
      #expect(throws: SimpleError.self) { try NumPyFile.decode(whole.prefix(count), name: "a.npy") }
    }
    #expect(try NumPyFile.decode(whole + Data([1, 2, 3]), name: "a.npy").count == 6)
  }

  @Test func missingFiles() {
    let error = #expect(throws: SimpleError.self) { try NumPyFile.read("/nowhere/a.npy") }
    #expect(error?.description == "/nowhere/a.npy: no such file, or no permission to read it")
    #expect(error?.category == .missingInput)
  }

  /// A failed write leaves no new files and keeps an existing file.
  @Test func failedWritesLeaveNothing() throws {
    let scratch = try Fixtures.Scratch()
    let tensor = Tensor(shape: [2])
    let missing = scratch.path("no/such/folder/a.npy")
    let error = #expect(throws: SimpleError.self) { try NumPyFile.write(tensor, to: missing) }
    #expect(error?.description.hasPrefix("\(missing): cannot be written: ") == true)
    #expect(error?.description.contains("\n") == false)
    #expect(error?.category == .cannotWrite)
    try FileManager.default.createDirectory(atPath: scratch.path("taken.npy"), withIntermediateDirectories: true)
    #expect(throws: SimpleError.self) { try NumPyFile.write(tensor, to: scratch.path("taken.npy")) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["taken.npy"])
  }

  @Test func writesReplaceFiles() throws {
    let scratch = try Fixtures.Scratch()
    for value in [1, 2] as [Float] {
      try NumPyFile.write(Tensor(shape: [3], repeating: value), to: scratch.path("a.npy"))
      #expect(try NumPyFile.read(scratch.path("a.npy")).elements == [value, value, value])
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path) == ["a.npy"])
  }
}
