import Foundation
import RelevanceSupport

/// Reads and writes NumPy's `.npy` files (format versions 1.0 to 3.0).
///
/// Reads little-endian `f4`, `f8`, `f2`, `i4`, `i8` and `u1` in C or Fortran order and converts them to `Float`. Writes
/// `<f4` in C order.
public enum NumPyFile {
  /// Reads a tensor.
  ///
  /// - Throws: `RelevanceKitError`.
  public static func read(_ file: some FileLocation) throws -> Tensor {
    let path = file.fileSystemPath
    return try decode(ReadableFile.data(path, missing: missing), name: path)
  }

  private static let missing = "no such file, or no permission to read it"

  /// The shape of the tensor in a file. Only the header is read.
  ///
  /// - Throws: `RelevanceKitError`.
  package static func shape(of path: String) throws -> TensorShape {
    let file = try ReadableFile.reading(path, missing: missing) { try ReadableFile(path) }
    let head = try ReadableFile.reading(path, missing: missing) { try file.read(upTo: 1 << 16) }
    let (header, start) = try header(of: head, name: path)
    // A header that declares more elements than the file contains would cause empty items.
    let needed = header.shape.count * header.element.size
    if let size = file.size, size - start < needed { throw truncated(path, expected: start + needed, found: size) }
    return header.shape
  }

  /// Writes a tensor. The file appears under its name only when it is complete.
  ///
  /// - Throws: `RelevanceKitError`.
  public static func write(_ tensor: Tensor, to file: some FileLocation) throws {
    try AtomicFiles.write(encode(tensor), to: file.fileSystemPath)
  }

  /// The bytes of a `.npy` file that contains `tensor` as `<f4` in C order.
  public static func encode(_ tensor: Tensor) -> Data {
    var data = header(type: "'<f4'", shape: tensor.shape.dimensions)
    tensor.withUnsafeElements { data.append(contentsOf: UnsafeRawBufferPointer($0)) }
    return data
  }

  /// The bytes before the elements of an array in C order.
  ///
  /// - Parameter type: The element type, in the notation of the format.
  package static func header(type: String, shape extents: [Int]) -> Data {
    let tuple = extents.count == 1 ? "(\(extents[0]),)" : "(\(extents.map(String.init).joined(separator: ", ")))"
    var header = "{'descr': \(type), 'fortran_order': False, 'shape': \(tuple), }"
    // The format requires that the data starts at a multiple of 64 bytes and that the header ends with a newline.
    let length = (10 + header.utf8.count + 1 + 63) / 64 * 64 - 10
    header += String(repeating: " ", count: length - header.utf8.count - 1) + "\n"
    let start = Data([0x93]) + Data("NUMPY".utf8) + Data([1, 0, UInt8(length & 255), UInt8(length >> 8)])
    return start + Data(header.utf8)
  }

  /// Reads a tensor from the bytes of a `.npy` file; `name` is its name in errors.
  package static func decode(_ data: Data, name: String) throws -> Tensor {
    let (header, start) = try header(of: data, name: name)
    let payload = data.dropFirst(start)
    let needed = header.shape.count * header.element.size
    guard payload.count >= needed else { throw truncated(name, expected: start + needed, found: data.count) }
    let stored = header.fortranOrder ? TensorShape(header.shape.dimensions.reversed()) : header.shape
    let tensor = Tensor(uninitialized: stored) { result in
      payload.withUnsafeBytes { raw in for i in result.indices { result[i] = header.element.load(raw, i) } }
    }
    return header.fortranOrder ? tensor.transposed(Array((0..<stored.rank).reversed())) : tensor
  }

  private static func truncated(_ name: String, expected: Int, found: Int) -> SimpleError {
    SimpleError("\(name): the .npy file ends early: expected at least \(expected) bytes, found \(found)")
  }

  /// The header, and the position of the first element.
  private static func header(of data: Data, name: String) throws -> (header: Header, start: Int) {
    let bytes = [UInt8](data.prefix(12))
    guard bytes.count >= 10, bytes[0] == 0x93, bytes[1..<6].elementsEqual("NUMPY".utf8) else {
      throw SimpleError("\(name): not a .npy file: it does not start with \\x93NUMPY")
    }
    let wide = bytes[6] >= 2
    guard (1...3).contains(bytes[6]), !wide || bytes.count == 12 else {
      throw Header.unsupported(name, "format version \(bytes[6]).\(bytes[7])", expected: "1.0 to 3.0")
    }
    let length = (0..<(wide ? 4 : 2)).reduce(0) { $0 | Int(bytes[8 + $1]) << (8 * $1) }
    let start = wide ? 12 : 10
    guard data.count - start >= length else { throw truncated(name, expected: start + length, found: data.count) }
    let text = String(decoding: data.dropFirst(start).prefix(length), as: UTF8.self)
    return (try Header(text, name: name), start + length)
  }
}

/// An element type of `.npy` files.
private enum Element: String {
  case float = "<f4"
  case double = "<f8"
  case half = "<f2"
  case int32 = "<i4"
  case int64 = "<i8"
  case byte = "|u1"

  var size: Int {
    switch self {
    case .byte: 1
    case .half: 2
    case .float, .int32: 4
    case .double, .int64: 8
    }
  }

  func load(_ raw: UnsafeRawBufferPointer, _ i: Int) -> Float {
    switch self {
    case .float: raw.loadUnaligned(fromByteOffset: i * 4, as: Float.self)
    case .double: Float(raw.loadUnaligned(fromByteOffset: i * 8, as: Double.self))
    case .half: Float(halfBits: raw.loadUnaligned(fromByteOffset: i * 2, as: UInt16.self))
    case .int32: Float(raw.loadUnaligned(fromByteOffset: i * 4, as: Int32.self))
    case .int64: Float(raw.loadUnaligned(fromByteOffset: i * 8, as: Int64.self))
    case .byte: Float(raw[i])
    }
  }
}

/// The dictionary at the head of a `.npy` file.
private struct Header {
  let element: Element
  let fortranOrder: Bool
  let shape: TensorShape

  init(_ text: String, name: String) throws {
    func value(_ key: String, until end: Character) -> Substring? {
      guard let range = text.range(of: "'\(key)':") else { return nil }
      let rest = text[range.upperBound...].drop { $0 == " " }
      guard let stop = rest.firstIndex(of: end) else { return nil }
      return rest[..<stop]
    }
    guard let type = value("descr", until: ","), let order = value("fortran_order", until: ","),
      order == "True" || order == "False", let tuple = value("shape", until: ")"), tuple.first == "("
    else {
      throw Self.unsupported(
        name, "header \(text.trimmingCharacters(in: .whitespacesAndNewlines))",
        expected: "descr, fortran_order and shape")
    }
    guard let element = Element(rawValue: type.trimmingCharacters(in: CharacterSet(charactersIn: "'\""))) else {
      throw Self.unsupported(name, "element type \(type)", expected: "f4, f8, f2, i4, i8 or u1")
    }
    let extents = tuple.dropFirst().split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
    guard let dimensions = extents as? [Int] else {
      throw Self.unsupported(name, "shape \(tuple))", expected: "a tuple of integers")
    }
    self.element = element
    self.fortranOrder = order == "True"
    self.shape = try TensorShape(checking: dimensions)
  }

  static func unsupported(_ file: String, _ found: String, expected: String) -> SimpleError {
    SimpleError("\(file): .npy with \(found); expected \(expected)")
  }
}
