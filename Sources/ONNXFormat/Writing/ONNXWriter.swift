import CRelevanceONNX
import RelevanceNetworks
import RelevanceSupport

/// Writes networks as ONNX files that all ONNX tools can read and that open without a copy of their weights.
///
/// A file has one node, with the same name, for each node of the network. Shapes are inferred. The file uses the oldest
/// opset from 17 on that has all operators.
public struct ONNXWriter: Sendable {
  /// The place of the weights.
  public enum WeightPlacement: Sendable {
    /// In a file beside the model, whose name is the model's name followed by `.data`. The offsets are multiples of the
    /// page size, so that the weights can be mapped.
    case beside
    /// In the model file itself, which must then be smaller than 2 GiB.
    case inside
  }

  /// The place of the weights.
  public var placement: WeightPlacement
  /// Whether weights are stored as FLOAT16, each followed by a Cast to FLOAT. Tensors smaller than 1 KiB stay FLOAT.
  public var halvesWeights: Bool
  /// The name of the output. Nil is the name of the node that computes it.
  public var outputName: String?

  /// Creates a writer.
  public init(placement: WeightPlacement = .beside, halvesWeights: Bool = false, outputName: String? = nil) {
    (self.placement, self.halvesWeights, self.outputName) = (placement, halvesWeights, outputName)
  }

  /// The facts about the files that were written.
  public struct Summary: Sendable {
    /// The opset of the nodes.
    public let opset: Int
    /// The size of the model file in bytes.
    public let modelBytes: Int
    /// The size of all tensors of 1 KiB and more, in bytes.
    public let weightBytes: Int
    /// The file beside the model that contains these tensors, if there is one.
    public let dataFile: String?
  }

  /// Writes a network.
  ///
  /// The files appear under their names, and replace existing ones, only when both are complete. Before that, the
  /// writer calls `check` with the temporary path of the model. Weights are streamed while they are read and are never
  /// all in memory.
  ///
  /// - Throws: `RelevanceKitError` if the network's nodes do not fit together; errors that `check` throws. In both
  ///   cases no file
  ///    has changed.
  @discardableResult
  public func write(_ network: NeuralNetwork, to path: String, check: (String) throws -> Void = { _ in }) throws
    -> Summary
  {
    let name = PathText.parts(of: path).name
    guard placement == .inside || FileSystem.isText(name) else {
      throw ONNXError.file(
        path,
        reason:
          "the name of the weight file is not UTF-8; expected a UTF-8 name, or weights inside the model (--inline)",
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
    // The version of the format that was introduced together with the opset.
    model.pointee.ir_version = opset < 19 ? 8 : opset < 21 ? 9 : 10
    model.pointee.producer_name = arena.string("RelevanceKit")
    (model.pointee.n_opset_import, model.pointee.opset_import) = arena.repeated([entry])
    model.pointee.graph = graph
    return model
  }
}

/// Receives a model from protobuf-c in pieces.
final class ModelSink {
  private let append: (UnsafeBufferPointer<UInt8>) throws -> Void
  private var failure: (any Error)?

  init(_ append: @escaping (UnsafeBufferPointer<UInt8>) throws -> Void) { self.append = append }

  /// Passes the whole model on. Throws the error that stopped it.
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
