/// The types that an ONNX tensor's elements can have, as far as the importer knows what to do with them.
enum ElementType: Hashable, CustomStringConvertible {
  case float
  case double
  case int32
  case int64
  case bool
  case other(Int)

  /// The type with ONNX's number for it.
  init(number: Int32) {
    self =
      switch number {
      case 1: .float
      case 6: .int32
      case 7: .int64
      case 9: .bool
      case 11: .double
      default: .other(Int(number))
      }
  }

  /// The bytes that an element takes in `raw_data`.
  var byteCount: Int? {
    switch self {
    case .bool: 1
    case .float, .int32: 4
    case .double, .int64: 8
    case .other: nil
    }
  }

  /// ONNX's name.
  var description: String {
    switch self {
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .int32: "INT32"
    case .int64: "INT64"
    case .bool: "BOOL"
    case .other(let number): Self.otherNames[number] ?? "number \(number)"
    }
  }

  private static let otherNames = [
    0: "UNDEFINED", 2: "UINT8", 3: "INT8", 4: "UINT16", 5: "INT16", 8: "STRING", 10: "FLOAT16", 12: "UINT32",
    13: "UINT64", 14: "COMPLEX64", 15: "COMPLEX128", 16: "BFLOAT16", 17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ",
    19: "FLOAT8E5M2", 20: "FLOAT8E5M2FNUZ", 21: "UINT4", 22: "INT4", 23: "FLOAT4E2M1", 24: "FLOAT8E8M0",
  ]
}
