import CRelevanceONNX
import RelevanceNetworks
import RelevanceTensors

/// The tensors of a file that is being written: builds their messages and collects the data to stream later.
struct TensorWriter {
  /// Tensors with fewer bytes are always inside the model, and always FLOAT.
  static let smallest = 1024
  /// The alignment of the offsets of external tensors, so that pages are mapped without a copy.
  static let alignment = 4096

  let arena: MessageArena
  /// The file beside the model for large tensors; nil if they stay inside the model.
  let dataName: String?
  let halves: Bool
  /// The contents of the data file, each with its offset.
  private(set) var external: [(offset: Int, payload: WeightPayload)] = []
  /// The contents of the model, by the pointer that the message contains in place of the bytes.
  private(set) var embedded: [UnsafePointer<UInt8>: WeightPayload] = [:]
  private(set) var externalCount = 0
  private(set) var weightCount = 0
  private var shared: [Key: UnsafeMutablePointer<TensorProto>] = [:]

  /// Identifies shared memory: tensors that share memory share the bytes in the data file.
  private struct Key: Hashable {
    let storage: ObjectIdentifier
    let offset: Int
    let count: Int
    let form: WeightPayload.Form
    let columns: Int?
  }

  init(arena: MessageArena, dataName: String?, halves: Bool) {
    (self.arena, self.dataName, self.halves) = (arena, dataName, halves)
  }

  func isHalved(_ tensor: Tensor) -> Bool { halves && tensor.count * 4 >= Self.smallest }

  /// The message of a tensor of real numbers. If `transposed`, of a matrix with rows and columns exchanged.
  mutating func tensor(_ value: Tensor, named name: String, transposed: Bool = false)
    -> UnsafeMutablePointer<TensorProto>
  {
    let form: WeightPayload.Form = isHalved(value) ? .half : .float
    let extents = transposed ? value.shape.dimensions.reversed() : value.shape.dimensions
    let message = message(named: name, extents, type: form == .half ? .float16 : .float)
    guard value.count * 4 >= Self.smallest else {
      let small = transposed ? value.transposed([1, 0]) : value
      small.withUnsafeElements { setBytes(of: message, to: UnsafeRawBufferPointer($0)) }
      return message
    }
    let payload = WeightPayload(name: name, tensor: value, form: form, transposed: transposed)
    guard let dataName else {
      // The pointer stands for the bytes and is never read.
      let token = arena.list([UInt8(0)])
      message.pointee.has_raw_data = 1
      (message.pointee.raw_data.len, message.pointee.raw_data.data) = (payload.count, token)
      embedded[UnsafePointer(token)] = payload
      weightCount += payload.count
      return message
    }
    let key = Key(
      storage: ObjectIdentifier(value.storage), offset: value.offset, count: value.count, form: form,
      columns: transposed ? value.shape[1] : nil)
    message.pointee.has_data_location = 1
    message.pointee.data_location = ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
    if let same = shared[key] {
      message.pointee.n_external_data = same.pointee.n_external_data
      message.pointee.external_data = same.pointee.external_data
      return message
    }
    shared[key] = message
    let offset = (externalCount + Self.alignment - 1) / Self.alignment * Self.alignment
    let entries = [("location", dataName), ("offset", String(offset)), ("length", String(payload.count))]
    (message.pointee.n_external_data, message.pointee.external_data) = arena.repeated(entries.map(entry))
    external.append((offset, payload))
    externalCount = offset + payload.count
    weightCount += payload.count
    return message
  }

  func tensor(_ value: IntegerTensor, named name: String) -> UnsafeMutablePointer<TensorProto> {
    let message = message(named: name, value.shape.dimensions, type: ElementType(value.kind))
    func set<Stored: FixedWidthInteger>(_ type: Stored.Type) {
      value.elements.map { Stored(truncatingIfNeeded: $0) }.withUnsafeBytes { setBytes(of: message, to: $0) }
    }
    switch value.kind.integerType {
    case nil: value.elements.map { UInt8($0 == 0 ? 0 : 1) }.withUnsafeBytes { setBytes(of: message, to: $0) }
    case .int8, .uint8: set(UInt8.self)
    case .int16, .uint16: set(UInt16.self)
    case .int32, .uint32: set(UInt32.self)
    case .int64, .uint64: set(UInt64.self)
    }
    return message
  }

  func entry(_ key: String, _ value: String) -> UnsafeMutablePointer<Onnx__StringStringEntryProto> {
    let entry = arena.message(onnx__string_string_entry_proto__init)
    entry.pointee.key = arena.string(key)
    entry.pointee.value = arena.string(value)
    return entry
  }

  private func message(named name: String, _ extents: [Int], type: ElementType) -> UnsafeMutablePointer<TensorProto> {
    let message = arena.message(onnx__tensor_proto__init)
    message.pointee.name = arena.string(name)
    (message.pointee.n_dims, message.pointee.dims) = arena.repeated(extents.map { Int64($0) })
    message.pointee.has_data_type = 1
    message.pointee.data_type = type.number
    return message
  }

  private func setBytes(of message: UnsafeMutablePointer<TensorProto>, to bytes: UnsafeRawBufferPointer) {
    message.pointee.has_raw_data = 1
    message.pointee.raw_data.len = bytes.count
    message.pointee.raw_data.data = arena.bytes(bytes)
  }
}
