import CRelevanceONNX
import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

/// A tensor of the file that does not depend on the input: an initializer or the output of a Constant node.
///
/// Its elements are only read when a node needs them.
final class ConstantTensor {
  /// The name of the initializer or of the node.
  let name: String
  let shape: TensorShape
  let type: ElementType
  private let source: Source
  private let file: String
  /// Whether the elements are in the file, and not computed.
  var isOfFile: Bool { if case .message = source { true } else { false } }
  private var cached: Tensor?
  private var cachedTranspose: Tensor?
  private var isKnownFinite = false

  private enum Source {
    case message(UnsafePointer<TensorProto>, of: Model)
    case floats(Tensor)
    case integers([Int])
  }

  /// A tensor of a model.
  ///
  /// - Throws: `RelevanceKitError` if the dimensions are not a valid shape.
  init(_ message: UnsafePointer<TensorProto>, name: String, of model: Model) throws {
    self.name = name
    self.file = model.file
    self.type = ElementType(number: message.pointee.data_type)
    self.source = .message(message, of: model)
    let dims = numbers(message.pointee.n_dims, message.pointee.dims)
    guard dims.count <= Self.highestRank else {
      throw ONNXError.tensor(
        file: model.file, name: name, reason: "found \(dims.count) axes; expected at most \(Self.highestRank)")
    }
    do {
      self.shape = try TensorShape(checking: dims.map { Int($0) })
    } catch let error as SimpleError {
      throw ONNXError.tensor(file: model.file, name: name, reason: "dims \(error)")
    }
  }

  /// A tensor from the value of a node's attribute, or computed from other constants.
  init(_ literal: Literal, name: String, file: String) {
    (self.name, self.shape, self.file) = (name, literal.shape, file)
    switch literal {
    case .floats(let tensor): (type, source) = (.float, .floats(tensor))
    case .integers(let tensor): (type, source) = (ElementType(tensor.kind), .integers(tensor.elements))
    }
  }

  /// The same elements with additional axes of extent 1 at the end.
  ///
  /// - Throws: As `literal()`.
  func appending(axes count: Int) throws -> ConstantTensor {
    let longer = TensorShape(shape.dimensions + [Int](repeating: 1, count: count))
    let literal: Literal =
      switch try literal() {
      case .floats(let tensor): .floats(tensor.reshaped(to: longer))
      case .integers(let tensor):
        .integers(IntegerTensor(shape: longer, elements: tensor.elements, kind: tensor.kind))
      }
    return ConstantTensor(literal, name: name, file: file)
  }

  /// More axes than any operator can use.
  private static let highestRank = 32

  /// The elements as floats, from FLOAT, DOUBLE, FLOAT16 or BFLOAT16. FLOAT elements that are aligned in the file are
  /// used in place.
  ///
  /// - Throws: `RelevanceKitError` for another type, or data that does not fit the dims.
  func floats() throws -> Tensor {
    if let cached { return cached }
    let tensor: Tensor
    switch source {
    case .floats(let elements): tensor = elements
    case .integers: throw wrongType(expected: Self.realTypes)
    case .message(let message, let model): tensor = try readFloats(message, model)
    }
    cached = tensor
    return tensor
  }

  /// The value, of any supported type.
  ///
  /// - Throws: As `floats()` and `integers()`.
  func literal() throws -> Literal {
    guard type.isInteger else { return .floats(try floats()) }
    return .integers(IntegerTensor(shape: shape, elements: try integers(), kind: type.kind))
  }

  /// The elements as floats, whether they are real numbers or integers.
  func values() throws -> Tensor { try literal().floats }

  /// The elements of a matrix as floats, with rows and columns exchanged. All nodes that share the matrix share one
  /// copy.
  ///
  /// - Throws: As `floats()`.
  func transposedFloats() throws -> Tensor {
    if let cachedTranspose { return cachedTranspose }
    let tensor = try floats().transposed([1, 0])
    cachedTranspose = tensor
    return tensor
  }

  /// The elements as integers, from any integer type or BOOL.
  ///
  /// - Throws: `RelevanceKitError` for another type, or data that does not fit the dims.
  func integers() throws -> [Int] {
    switch source {
    case .integers(let elements): return elements
    case .floats: throw wrongType(expected: Self.integerTypes)
    case .message(let message, let model): return try readIntegers(message, model)
    }
  }

  /// Checks that all elements are finite, as weights must be. The check runs once, even if several nodes share the
  /// tensor.
  ///
  /// - Throws: `Defect` if some are not; the errors of `floats()`.
  func checkFinite() throws {
    guard !isKnownFinite else { return }
    _ = try floats().checkedFinite(shown(name))
    isKnownFinite = true
  }

  /// Checks that no element is NaN; infinities are allowed, as in masks.
  ///
  /// - Throws: `Defect` if some are NaN; the errors of `floats()`.
  func checkNumbers() throws {
    guard !type.isInteger, !isKnownFinite else { return }
    guard let found = try floats().notFinite() else { return isKnownFinite = true }
    guard found.nan == 0 else {
      throw Defect("\(shown(name)) has \(found.nan) NaN among \(shape.count) elements; expected numbers")
    }
  }

  private static let realTypes = "FLOAT, DOUBLE, FLOAT16 or BFLOAT16"
  private static let integerTypes = "an integer type or BOOL"

  private func readFloats(_ message: UnsafePointer<TensorProto>, _ model: Model) throws -> Tensor {
    guard type.isReal else { throw wrongType(expected: Self.realTypes) }
    let payload = try payload(of: message, in: model)
    func read<Stored: BitwiseCopyable, Listed>(
      _ listed: UnsafeBufferPointer<Listed>, _ stored: (Listed) -> Stored, _ float: (Stored) -> Float
    ) throws -> Tensor {
      if let payload {
        return Tensor(uninitialized: shape) { for i in $0.indices { $0[i] = float(payload.load(i, as: Stored.self)) } }
      }
      try check(count: listed.count)
      return Tensor(shape: shape, elements: listed.map { float(stored($0)) })
    }
    let proto = message.pointee
    // Half-precision numbers in this field are the low bits of 32-bit integers.
    let halves = numbers(proto.n_int32_data, proto.int32_data)
    switch type {
    case .double: return try read(numbers(proto.n_double_data, proto.double_data), { $0 }, { Float($0) })
    case .float16: return try read(halves, UInt16.init(truncatingIfNeeded:)) { Float(halfBits: $0) }
    case .bfloat16: return try read(halves, UInt16.init(truncatingIfNeeded:)) { Float(bitPattern: UInt32($0) << 16) }
    default:
      return try payload?.tensor(of: shape) ?? read(numbers(proto.n_float_data, proto.float_data), { $0 }, { $0 })
    }
  }

  private func readIntegers(_ message: UnsafePointer<TensorProto>, _ model: Model) throws -> [Int] {
    guard type.isInteger else { throw wrongType(expected: Self.integerTypes) }
    let payload = try payload(of: message, in: model)
    let integers = type.kind.integerType
    // The raw bits; the type then determines the sign.
    func element(_ bits: Int) -> Int { integers?.wrapped(bits) ?? (bits == 0 ? 0 : 1) }
    if let width = type.packedBits {
      let bytes: [Int]
      if let payload {
        bytes = (0..<packedCount).map { Int(payload.load($0, as: UInt8.self)) }
      } else {
        bytes = numbers(message.pointee.n_int32_data, message.pointee.int32_data).map { Int($0) }
        guard bytes.count == packedCount else {
          throw defect("dims \(shape) of type \(type) take \(packedCount) bytes; found \(bytes.count)")
        }
      }
      return (0..<shape.count).map { at in
        // The first element is in the low bits.
        let bits = bytes[at * width / 8] >> (at * width % 8) & ((1 << width) - 1)
        return bits > type.limits?.upperBound ?? bits ? bits - (1 << width) : bits
      }
    }
    func converted<Stored: FixedWidthInteger & BitwiseCopyable>(_ payload: Payload, _ stored: Stored.Type) -> [Int] {
      (0..<shape.count).map { element(Int(truncatingIfNeeded: payload.load($0, as: stored))) }
    }
    if let payload {
      switch type.byteCount {
      case 1: return converted(payload, UInt8.self)
      case 2: return converted(payload, UInt16.self)
      case 4: return converted(payload, UInt32.self)
      default: return converted(payload, UInt64.self)
      }
    }
    let elements: [Int]
    switch integers {
    case .int64: elements = numbers(message.pointee.n_int64_data, message.pointee.int64_data).map { Int($0) }
    case .uint64, .uint32:
      elements = numbers(message.pointee.n_uint64_data, message.pointee.uint64_data).map { Int(truncatingIfNeeded: $0) }
    default: elements = numbers(message.pointee.n_int32_data, message.pointee.int32_data).map { Int($0) }
    }
    try check(count: elements.count)
    return elements
  }

  /// The place of the elements' bytes, if they are not in typed fields. The size must match the dimensions exactly.
  private func payload(of message: UnsafePointer<TensorProto>, in model: Model) throws -> Payload? {
    guard message.pointee.segment == nil else { throw defect("the data has segments; expected none") }
    guard let size = type.byteCount else { return nil }
    let expected = type.packedBits == nil ? shape.count * size : packedCount
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
    var checksum: String?
    for entry in messages(message.pointee.n_external_data, message.pointee.external_data) {
      let value = text(entry.pointee.value)
      func number() throws -> Int {
        guard let number = Int(value), number >= 0 else {
          throw defect("\(text(entry.pointee.key)) of the external data is \(shown(value)); expected a number of bytes")
        }
        return number
      }
      switch text(entry.pointee.key) {
      case "location": location = value
      case "checksum": checksum = value
      case "offset": offset = try number()
      case "length":
        let length = try number()
        guard length == expected else {
          throw defect("dims \(shape) of type \(type) take \(expected) bytes; the external data has length \(length)")
        }
      default: break
      }
    }
    guard expected > 0 else { return Payload(file: model.bytes, offset: 0) }
    let file = try model.external.file(at: location, tensor: name)
    guard offset <= file.count, expected <= file.count - offset else {
      throw defect(
        "\(shown(location)) has \(file.count) bytes; expected \(expected) bytes at offset \(offset)")
    }
    if let checksum { try model.external.verify(checksum, of: location, tensor: name) }
    return Payload(file: file, offset: offset)
  }

  /// The number of bytes if several elements share one byte.
  private var packedCount: Int { (shape.count * (type.packedBits ?? 8) + 7) / 8 }

  private func check(count: Int) throws {
    guard count == shape.count else { throw defect("dims \(shape) take \(shape.count) elements; found \(count)") }
  }

  private func wrongType(expected: String) -> ONNXError { defect("the element type is \(type); expected \(expected)") }

  private func defect(_ reason: String) -> ONNXError { .tensor(file: file, name: name, reason: reason) }
}

extension Tensor {
  /// Returns the tensor if all its elements are finite.
  ///
  /// - Throws: `Defect`, which refers to the tensor by `name`.
  func checkedFinite(_ name: String) throws -> Tensor {
    guard let found = notFinite() else { return self }
    let counts = [(found.nan, "NaN"), (found.infinite, "infinite")].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    throw Defect("\(name) has \(counts.joined(separator: " and ")) among \(count) elements; expected finite weights")
  }
}
