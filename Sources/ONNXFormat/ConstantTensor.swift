import COnnx
import Tensors

/// A tensor of the file that does not depend on the input: an initializer, or what a Constant node makes.
///
/// Its elements are looked at only when a node needs them.
final class ConstantTensor {
  /// The initializer's name, or the node's.
  let name: String
  let shape: Shape
  let type: ElementType
  private let source: Source
  private let file: String
  private var cached: Tensor?
  private var cachedTranspose: Tensor?

  private enum Source {
    case message(UnsafePointer<TensorProto>, of: Model)
    case floats([Float])
    case integers([Int])
  }

  /// A tensor of a model.
  ///
  /// - Throws: `ONNXError.tensor` if its dims are no shape.
  init(_ message: UnsafePointer<TensorProto>, name: String, of model: Model) throws {
    self.name = name
    self.file = model.file
    self.type = ElementType(number: message.pointee.data_type)
    self.source = .message(message, of: model)
    let dims = numbers(message.pointee.n_dims, message.pointee.dims)
    guard dims.count <= Self.highestRank else {
      throw ONNXError.tensor(
        file: model.file, name: name, reason: "expected at most \(Self.highestRank) axes, found \(dims.count)")
    }
    do {
      self.shape = try Shape(checking: dims.map { Int($0) })
    } catch let error as ShapeError {
      throw ONNXError.tensor(file: model.file, name: name, reason: "dims \(error)")
    }
  }

  /// A tensor of numbers that a node's attribute holds.
  init(floats: [Float], shape: Shape, name: String, file: String) {
    (self.name, self.shape, self.type, self.source, self.file) = (name, shape, .float, .floats(floats), file)
  }

  /// A tensor of integers that a node's attribute holds.
  init(integers: [Int], shape: Shape, name: String, file: String) {
    (self.name, self.shape, self.type, self.source, self.file) = (name, shape, .int64, .integers(integers), file)
  }

  /// More axes than any operator has a use for.
  private static let highestRank = 32

  /// The elements as floats: FLOAT or DOUBLE. FLOAT elements that are aligned in the file are used in place.
  ///
  /// - Throws: `ONNXError` for another type, or data that does not fit the dims.
  func floats() throws -> Tensor {
    if let cached { return cached }
    let tensor: Tensor
    switch source {
    case .floats(let elements): tensor = Tensor(shape: shape, elements: elements)
    case .integers: throw wrongType(expected: "FLOAT or DOUBLE")
    case .message(let message, let model): tensor = try readFloats(message, model)
    }
    cached = tensor
    return tensor
  }

  /// The elements of a matrix as floats, rows and columns exchanged: one copy, however many nodes share it.
  ///
  /// - Throws: As `floats()`.
  func transposedFloats() throws -> Tensor {
    if let cachedTranspose { return cachedTranspose }
    let tensor = try floats().transposed([1, 0])
    cachedTranspose = tensor
    return tensor
  }

  /// The elements as integers: INT64, INT32 or BOOL.
  ///
  /// - Throws: `ONNXError` for another type, or data that does not fit the dims.
  func integers() throws -> [Int] {
    switch source {
    case .integers(let elements): return elements
    case .floats: throw wrongType(expected: "INT64, INT32 or BOOL")
    case .message(let message, let model): return try readIntegers(message, model)
    }
  }

  private func readFloats(_ message: UnsafePointer<TensorProto>, _ model: Model) throws -> Tensor {
    let payload = try payload(of: message, in: model)
    switch type {
    case .float:
      guard let payload else {
        let elements = numbers(message.pointee.n_float_data, message.pointee.float_data)
        try check(count: elements.count)
        return Tensor(shape: shape, elements: Array(elements))
      }
      return payload.tensor(of: shape)
    case .double:
      guard let payload else {
        let elements = numbers(message.pointee.n_double_data, message.pointee.double_data)
        try check(count: elements.count)
        return Tensor(shape: shape, elements: elements.map { Float($0) })
      }
      return Tensor(shape: shape, elements: (0..<shape.count).map { Float(payload.load($0, as: Double.self)) })
    default: throw wrongType(expected: "FLOAT or DOUBLE")
    }
  }

  private func readIntegers(_ message: UnsafePointer<TensorProto>, _ model: Model) throws -> [Int] {
    let payload = try payload(of: message, in: model)
    switch type {
    case .int64:
      if let payload { return (0..<shape.count).map { Int(payload.load($0, as: Int64.self)) } }
      let elements = numbers(message.pointee.n_int64_data, message.pointee.int64_data)
      try check(count: elements.count)
      return elements.map { Int($0) }
    case .int32, .bool:
      if let payload {
        return type == .bool
          ? (0..<shape.count).map { payload.load($0, as: UInt8.self) == 0 ? 0 : 1 }
          : (0..<shape.count).map { Int(payload.load($0, as: Int32.self)) }
      }
      let elements = numbers(message.pointee.n_int32_data, message.pointee.int32_data)
      try check(count: elements.count)
      return elements.map { Int($0) }
    default: throw wrongType(expected: "INT64, INT32 or BOOL")
    }
  }

  /// Where the elements' bytes are, if not in fields of their own; exactly as many as the dims ask for.
  private func payload(of message: UnsafePointer<TensorProto>, in model: Model) throws -> Payload? {
    guard message.pointee.segment == nil else { throw defect("it is one of several segments, which are not supported") }
    guard let size = type.byteCount else { return nil }
    let expected = shape.count * size
    if message.pointee.has_data_location != 0, message.pointee.data_location.rawValue == 1 {
      return try externalPayload(of: message, in: model, expected: expected)
    }
    var offset = 0
    var count = 0
    guard onnx_tensor_payload(message, &offset, &count) else { return nil }
    guard count == expected else {
      throw defect("dims \(shape) of type \(type) take \(expected) bytes; found \(count)")
    }
    return Payload(file: model.bytes, offset: offset)
  }

  private func externalPayload(
    of message: UnsafePointer<TensorProto>, in model: Model, expected: Int
  ) throws -> Payload {
    var location = ""
    var offset = 0
    for entry in messages(message.pointee.n_external_data, message.pointee.external_data) {
      let value = text(entry.pointee.value)
      func number() throws -> Int {
        guard let number = Int(value), number >= 0 else {
          throw defect("\(text(entry.pointee.key)) of its external data is \(shown(value)); expected a number of bytes")
        }
        return number
      }
      switch text(entry.pointee.key) {
      case "location": location = value
      case "offset": offset = try number()
      case "length":
        let length = try number()
        guard length == expected else {
          throw defect("dims \(shape) of type \(type) take \(expected) bytes; its external data has length \(length)")
        }
      default: break
      }
    }
    guard expected > 0 else { return Payload(file: model.bytes, offset: 0) }
    let file = try model.external.file(at: location, tensor: name)
    guard offset <= file.count, expected <= file.count - offset else {
      throw defect(
        "expected \(expected) bytes at offset \(offset) of \(shown(location)), which has \(file.count) bytes")
    }
    return Payload(file: file, offset: offset)
  }

  private func check(count: Int) throws {
    guard count == shape.count else {
      throw defect("dims \(shape) take \(shape.count) elements; found \(count)")
    }
  }

  private func wrongType(expected: String) -> ONNXError { defect("it has element type \(type); expected \(expected)") }

  private func defect(_ reason: String) -> ONNXError { .tensor(file: file, name: name, reason: reason) }
}

/// Elements somewhere in a mapped file, not necessarily aligned; whoever makes one checks that they are all there.
private struct Payload {
  let file: MappedFile
  let offset: Int

  /// Element `index` of a list of numbers.
  func load<Number: BitwiseCopyable>(_ index: Int, as type: Number.Type) -> Number {
    file.base.loadUnaligned(fromByteOffset: offset + index * MemoryLayout<Number>.size, as: type)
  }

  /// The floats as a tensor: in place where they are aligned, else a copy.
  func tensor(of shape: Shape) -> Tensor {
    let start = file.base + offset
    guard shape.count > 0, Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0 else {
      return Tensor(uninitialized: shape) { elements in
        file.copyBytes(from: offset, to: UnsafeMutableRawBufferPointer(elements))
      }
    }
    let floats = UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: Float.self))
    let storage = TensorStorage(base: floats, count: shape.count, writable: false) { [file] in
      withExtendedLifetime(file) {}
    }
    return Tensor(shape: shape, storage: storage)
  }
}
