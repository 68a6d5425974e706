import Foundation
import RelevanceNetworks
import RelevanceONNXFormat
import RelevanceTensors
import Testing

/// Tensors whose elements are in a file beside the model.
@Suite struct ExternalDataTests {
  @Test func offsetAndLengthAreKept() throws {
    let folder = try ScratchFolder()
    try folder.write(littleEndian([9, 1, 2, 3, 4, 9] as [Float]), as: "weights.bin")
    let tensor = try Self.read([("location", "weights.bin"), ("offset", "4"), ("length", "16")], in: folder)
    #expect(tensor.elements == [1, 2, 3, 4])
    #expect(!tensor.storage.writable)
  }

  @Test func withoutOffsetAndLengthItStartsAtTheFirstByte() throws {
    let folder = try ScratchFolder()
    try folder.write(littleEndian([1, 2, 3, 4, 5] as [Float]), as: "weights.bin")
    #expect(try Self.read([("location", "weights.bin")], in: folder).elements == [1, 2, 3, 4])
  }

  @Test func anUnalignedOffsetIsCopied() throws {
    let folder = try ScratchFolder()
    try folder.write([0] + littleEndian([1, 2, 3, 4] as [Float]), as: "weights.bin")
    let tensor = try Self.read([("location", "weights.bin"), ("offset", "1")], in: folder)
    #expect(tensor.elements == [1, 2, 3, 4])
    #expect(tensor.storage.writable)
  }

  @Test func aLargeUnalignedTensorIsCopiedWhole() throws {
    let folder = try ScratchFolder()
    let values = (0..<3_000_001).map(Float.init)
    try folder.write([0, 0] + littleEndian(values), as: "weights.bin")
    let weight = WireTensor(
      name: "w", dims: [values.count], external: [("location", "weights.bin"), ("offset", "2")])
    let graph = try folder.readGraph(.oneNode("Add", ["w"], initializers: [weight]))
    guard let value = (graph.nodes[1].operation as? Constant)?.tensor else { throw ConstantTensorTests.NotAConstant() }
    #expect(value.elements == values)
  }

  /// A checksum covers the whole file. Upper and lower case are equivalent.
  @Test func checksumsAreCompared() throws {
    let folder = try ScratchFolder()
    try folder.write(Array("abc abc abc abc ".utf8), as: "weights.bin")
    let sum = "46a5779516293df48a253bb9fd55f58de902d385"
    for checksum in [sum, sum.uppercased()] {
      #expect(try Self.read([("location", "weights.bin"), ("checksum", checksum)], in: folder).count == 4)
    }
    let wrong = "0" + sum.dropFirst()
    let error = #expect(throws: ONNXError.self) {
      try Self.read([("location", "weights.bin"), ("checksum", wrong)], in: folder)
    }
    let sentence = "the external data weights.bin has the SHA-1 checksum \(sum); expected \(wrong)"
    #expect(error?.description.hasSuffix(sentence) == true, "\(String(describing: error))")
  }

  @Test func tensorsShareOneMapping() throws {
    let folder = try ScratchFolder()
    try folder.write(littleEndian([1, 2, 3, 4, 5, 6, 7, 8] as [Float]), as: "weights.bin")
    var model = WireModel()
    for (index, name) in ["a", "b"].enumerated() {
      model.initializers.append(
        WireTensor(name: name, dims: [4], external: [("location", "weights.bin"), ("offset", "\(index * 16)")]))
    }
    model.nodes = [
      WireNode(op: "Add", inputs: ["x", "a"], outputs: ["s"]), WireNode(op: "Add", inputs: ["s", "b"], outputs: ["y"]),
    ]
    let graph = try folder.readGraph(model)
    let starts = graph.nodes.compactMap { node -> UnsafeMutablePointer<Float>? in
      if let tensor = (node.operation as? Constant)?.tensor { tensor.storage.base } else { nil }
    }
    #expect(starts.count == 2 && starts[1] == starts[0] + 4)
  }

  @Test(arguments: ["../weights.bin", "a/../../weights.bin", "/etc/hostname"])
  func pathsOutsideOfTheFolderAreRejected(location: String) throws {
    let folder = try ScratchFolder()
    let error = #expect(throws: ONNXError.self) { try Self.read([("location", location)], in: folder) }
    #expect(
      error?.description
        == "\(folder.path)/model.onnx: tensor w: the external data is at \(location); "
        + "expected a path inside the model's folder"
    )
    #expect(error?.category == .badData)
  }

  @Test func linksOutOfTheFolderAreRejected() throws {
    let folder = try ScratchFolder()
    let elsewhere = try ScratchFolder()
    let target = try elsewhere.writeZeros(16, as: "weights.bin")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/weights.bin", withDestinationPath: target)
    let error = #expect(throws: ONNXError.self) { try Self.read([("location", "weights.bin")], in: folder) }
    #expect(error?.description.contains("the external data weights.bin leads to") == true)
  }

  @Test func aLinkInsideTheFolderIsFollowed() throws {
    let folder = try ScratchFolder()
    try folder.writeZeros(16, as: "weights.bin")
    try FileManager.default.createSymbolicLink(atPath: folder.path + "/link", withDestinationPath: "weights.bin")
    #expect(try Self.read([("location", "link")], in: folder).elements == [0, 0, 0, 0])
  }

  @Test func aMissingFileIsReported() throws {
    let folder = try ScratchFolder()
    let error = #expect(throws: ONNXError.self) { try Self.read([("location", "weights.bin")], in: folder) }
    #expect(
      error?.description
        == "\(folder.path)/model.onnx: tensor w: the data file \(folder.path)/weights.bin does not exist")
    #expect(error?.category == .missingInput)
  }

  @Test(arguments: [
    (15, "0", "weights.bin has 15 bytes; expected 16 bytes at offset 0"),
    (16, "4", "weights.bin has 16 bytes; expected 16 bytes at offset 4"),
    (16, "9223372036854775807", "weights.bin has 16 bytes; expected 16 bytes at offset 9223372036854775807"),
    (16, "-4", "offset of the external data is -4; expected a number of bytes"),
    (16, "99999999999999999999", "offset of the external data is 99999999999999999999; expected a number of bytes"),
  ])
  func aFileThatIsTooShortIsRejected(size: Int, offset: String, reason: String) throws {
    let folder = try ScratchFolder()
    try folder.writeZeros(size, as: "weights.bin")
    let error = #expect(throws: ONNXError.self) {
      try Self.read([("location", "weights.bin"), ("offset", offset)], in: folder)
    }
    #expect(error?.description == "\(folder.path)/model.onnx: tensor w: \(reason)")
  }

  @Test func aWrongLengthIsRejected() throws {
    let folder = try ScratchFolder()
    try folder.writeZeros(64, as: "weights.bin")
    let error = #expect(throws: ONNXError.self) {
      try Self.read([("location", "weights.bin"), ("length", "20")], in: folder)
    }
    #expect(
      error?.description.hasSuffix("dims 4 of type FLOAT take 16 bytes; the external data has length 20") == true)
  }

  @Test func aFolderOrEmptyFileIsRejected() throws {
    let folder = try ScratchFolder()
    try FileManager.default.createDirectory(atPath: folder.path + "/sub", withIntermediateDirectories: false)
    try folder.writeZeros(0, as: "empty")
    for location in ["sub", "empty", "sub/", ".", ""] {
      #expect(throws: ONNXError.self) { try Self.read([("location", location)], in: folder) }
    }
  }

  @Test func aModelFromMemoryHasNoneUnlessAFolderIsGiven() throws {
    let folder = try ScratchFolder()
    try folder.writeZeros(16, as: "weights.bin")
    let bytes = Self.model([("location", "weights.bin")]).bytes
    #expect(throws: ONNXError.self) { try ONNXFile(bytes).graph }
    #expect(try ONNXFile(bytes, folder: folder.path).graph.nodes.count == 3)
  }

  static func model(_ external: [(String, String)]) -> WireModel {
    .oneNode("Add", ["w"], initializers: [WireTensor(name: "w", dims: [4], external: external)])
  }

  /// Tensor `w` with four elements and this external data, in a model that is written to the folder.
  static func read(_ external: [(String, String)], in folder: ScratchFolder) throws -> Tensor {
    let graph = try folder.readGraph(model(external))
    guard let value = (graph.nodes[1].operation as? Constant)?.tensor else { throw ConstantTensorTests.NotAConstant() }
    return value
  }
}
