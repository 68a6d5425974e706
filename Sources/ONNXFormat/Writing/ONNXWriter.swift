import CRelevanceONNX
import RelevanceNetworks
import RelevanceSupport

/// Writing of networks as ONNX files that every ONNX tool takes and that open without a copy of their weights.
///
/// A file has one node for each node of the network, under its name; shapes are inferred. It is in the oldest opset from
/// 17 on that has all operators.
public struct ONNXWriter: Sendable {
  /// Where the weights go.
  public enum WeightPlacement: Sendable {
    /// Into a file beside the model, called like it with `.data` after its name, at offsets that are multiples of a page's
    /// size, so that they can be mapped.
    case beside
    /// Into the model itself, which then must have less than 2 GiB.
    case inside
  }

  /// Where the weights go.
  public var placement: WeightPlacement
  /// Whether weights are stored as FLOAT16, with a Cast to FLOAT behind each. Tensors of less than 1 KiB stay FLOAT.
  public var halvesWeights: Bool
  /// The name of the output; nil means that of the node that makes it.
  public var outputName: String?

  /// Makes a writer.
  public init(placement: WeightPlacement = .beside, halvesWeights: Bool = false, outputName: String? = nil) {
    (self.placement, self.halvesWeights, self.outputName) = (placement, halvesWeights, outputName)
  }

  /// What was written.
  public struct Summary: Sendable {
    /// The version of ONNX's operators that the nodes are written in.
    public let opset: Int
    /// The number of bytes of the model's file.
    public let modelBytes: Int
    /// The number of bytes that the tensors of 1 KiB and more take.
    public let weightBytes: Int
    /// The file beside the model that holds them, if there is one.
    public let dataFile: String?
  }

  /// Writes a network.
  ///
  /// The files appear under their names, replacing what had them, only when both are complete; `check` is called before,
  /// with the path that the model has until then. Weights are written as they are read: they are never all in memory.
  ///
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit one another, and what `check` throws;
  ///   then nothing has changed.
  @discardableResult
  public func write(_ network: NeuralNetwork, to path: String, check: (String) throws -> Void = { _ in }) throws
    -> Summary
  {
    let name = PathText.parts(of: path).name
    guard placement == .inside || FileSystem.isText(name) else {
      throw ONNXError.file(
        path,
        reason:
          "the model cannot state the name of its weights, which is not UTF-8; expected another, or the weights inside (--inline)",
        category: .cannotWrite)
    }
    let dataName = name + ".data"
    let arena = MessageArena()
    var writer = GraphWriter(
      network, outputName: outputName, extents: try OpenExtents(of: network),
      tensors: TensorWriter(
        arena: arena, dataName: placement == .beside ? dataName : nil, halves: halvesWeights))
    let model = Self.model(of: writer.message(), opset: writer.opset, in: arena)
    let aliases = network.graph.nodes.flatMap { node in
      node.aliases.map { writer.tensors.entry(Model.aliasKey + $0, node.name) }
    }
    (model.pointee.n_metadata_props, model.pointee.metadata_props) = arena.repeated(aliases)
    try Self.alignWeights(of: model, in: writer.tensors)
    let size = onnx_model_size(model)
    guard size <= Int(Int32.max) else {
      throw ONNXError.file(
        path, reason: "with the weights inside, the file would have \(size) bytes; expected at most \(Int32.max)")
    }

    let tensors = writer.tensors
    func stream(_ payload: WeightPayload, _ file: AtomicFile) throws {
      do { try payload.write(file.append) } catch let error as Defect {
        throw ONNXError.tensor(file: path, name: payload.name, reason: error.reason)
      }
    }
    let hasData = !tensors.external.isEmpty
    do {
      let files = try AtomicFiles(beside: path, others: hasData ? [dataName] : [])
      if hasData {
        try files.write(dataName, syncs: true) { file in
          for (offset, payload) in tensors.external {
            try file.skip(to: offset)
            try stream(payload, file)
          }
        }
      }
      try files.write(name, syncs: true) { file in
        try ModelSink { bytes in
          if let payload = bytes.baseAddress.flatMap({ tensors.embedded[$0] }) {
            try stream(payload, file)
          } else {
            try file.append(UnsafeRawBufferPointer(bytes))
          }
        }.take(model)
      }
      try check(files.path(of: name))
      try files.publish(hasData ? [dataName, name] : [name])
    } catch let failure as AtomicFiles.Failure {
      throw ONNXError.file(path, reason: "cannot be written: \(failure.reason)", category: .cannotWrite)
    }
    return withExtendedLifetime(arena) {
      Summary(
        opset: writer.opset, modelBytes: size, weightBytes: tensors.weightCount,
        dataFile: hasData ? "\(path).data" : nil)
    }
  }

  private static func model(
    of graph: UnsafeMutablePointer<GraphProto>, opset: Int, in arena: MessageArena
  ) -> UnsafeMutablePointer<ModelProto> {
    let entry = arena.message(onnx__operator_set_id_proto__init)
    entry.pointee.domain = arena.string("")
    entry.pointee.has_version = 1
    entry.pointee.version = Int64(opset)
    let model = arena.message(onnx__model_proto__init)
    model.pointee.has_ir_version = 1
    // The version of the format that came with the opset.
    model.pointee.ir_version = opset < 19 ? 8 : opset < 21 ? 9 : 10
    model.pointee.producer_name = arena.string("RelevanceKit")
    (model.pointee.n_opset_import, model.pointee.opset_import) = arena.repeated([entry])
    model.pointee.graph = graph
    return model
  }
}

/// Takes a model from protobuf-c piece by piece.
final class ModelSink {
  private let append: (UnsafeBufferPointer<UInt8>) throws -> Void
  private var failure: (any Error)?

  init(_ append: @escaping (UnsafeBufferPointer<UInt8>) throws -> Void) { self.append = append }

  /// Passes the whole model on; throws what stopped it.
  func take(_ model: UnsafePointer<ModelProto>) throws {
    let context = Unmanaged.passUnretained(self).toOpaque()
    let complete = onnx_model_write(
      model,
      { context, bytes, count in
        guard let context else { return false }
        let sink = Unmanaged<ModelSink>.fromOpaque(context).takeUnretainedValue()
        do { try sink.append(UnsafeBufferPointer(start: bytes, count: count)) } catch {
          sink.failure = error
          return false
        }
        return true
      }, context)
    if !complete, let failure { throw failure }
  }
}
