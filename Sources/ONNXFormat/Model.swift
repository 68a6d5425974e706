import CRelevanceONNX

typealias ModelProto = Onnx__ModelProto
typealias GraphProto = Onnx__GraphProto
typealias NodeProto = Onnx__NodeProto
typealias AttributeProto = Onnx__AttributeProto
typealias TensorProto = Onnx__TensorProto
typealias SparseTensorProto = Onnx__SparseTensorProto
typealias ValueInfoProto = Onnx__ValueInfoProto

/// A model as protobuf-c unpacked it, and the file that contains the payloads of its tensors.
///
/// Owns the unpacked messages: pointers to them are valid during its lifetime.
final class Model {
  let bytes: MappedFile
  let external: ExternalData
  private let message: UnsafeMutablePointer<ModelProto>

  /// Unpacks a model. `folder` and `linkedFolder` may contain its external data, as in `ExternalData`; nil means no
  /// such folder. External files are mapped or read.
  ///
  /// - Throws: `RelevanceKitError`.
  init(_ bytes: MappedFile, folder: String?, linkedFolder: String? = nil, maps: Bool = true) throws {
    if let pointer = bytes.largeFilePointer { throw ONNXError.file(bytes.path, reason: "it is \(pointer)") }
    var reason = [CChar](repeating: 0, count: 1024)
    let start = bytes.base.assumingMemoryBound(to: UInt8.self)
    guard let message = onnx_model_read(start, bytes.count, &reason, reason.count) else {
      let end = reason.firstIndex(of: 0) ?? reason.count
      let text = String(decoding: reason[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw ONNXError.damaged(bytes.path, text)
    }
    self.bytes = bytes
    self.external = ExternalData(model: bytes.path, folder: folder, linkedFolder: linkedFolder, maps: maps)
    self.message = message
  }

  deinit { onnx_model_free(message) }

  /// The name of the model in errors.
  var file: String { bytes.path }

  var graph: UnsafePointer<GraphProto>? { message.pointee.graph.map { UnsafePointer($0) } }

  /// The prefix of metadata keys that map an alias to a node.
  static let aliasKey = "relevancekit.alias."

  /// The metadata beside the graph, by key. For a repeated key, the first value.
  var metadata: [String: String] {
    Dictionary(
      messages(message.pointee.n_metadata_props, message.pointee.metadata_props)
        .map { (text($0.pointee.key), text($0.pointee.value)) }, uniquingKeysWith: { first, _ in first })
  }

  /// Additional names of nodes: the names of nodes that a conversion merged into them.
  var aliases: [String: [String]] {
    var aliases: [String: [String]] = [:]
    for entry in messages(message.pointee.n_metadata_props, message.pointee.metadata_props) {
      let key = text(entry.pointee.key)
      guard key.hasPrefix(Self.aliasKey) else { continue }
      aliases[text(entry.pointee.value), default: []].append(String(key.dropFirst(Self.aliasKey.count)))
    }
    return aliases
  }

  /// The version of ONNX's own operators that the nodes use.
  var opset: Int? {
    for entry in messages(message.pointee.n_opset_import, message.pointee.opset_import)
    where isStandard(domain: text(entry.pointee.domain)) {
      return Int(entry.pointee.version)
    }
    return nil
  }
}

func isStandard(domain: String) -> Bool { domain.isEmpty || domain == "ai.onnx" }

func messages<Message>(
  _ count: Int, _ list: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?
) -> [UnsafePointer<Message>] {
  guard let list else { return [] }
  return (0..<count).compactMap { list[$0].map { UnsafePointer($0) } }
}

func numbers<Number>(_ count: Int, _ list: UnsafeMutablePointer<Number>?) -> UnsafeBufferPointer<Number> {
  UnsafeBufferPointer(start: list, count: list == nil ? 0 : count)
}

func texts(_ count: Int, _ list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> [String] {
  guard let list else { return [] }
  return (0..<count).map { text(list[$0]) }
}

/// The text of a string field. Control characters, which would break up a message, become `?`.
func text(_ field: UnsafePointer<CChar>?) -> String {
  guard let field else { return "" }
  return printable(String(cString: field))
}

/// A string with `?` in place of its control characters.
func printable(_ text: String) -> String {
  guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return text }
  return String(decoding: text.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x3f : $0 }, as: UTF8.self)
}
