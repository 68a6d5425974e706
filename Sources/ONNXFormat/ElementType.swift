import COnnx
import Networks

/// The types that an ONNX tensor's elements can have, as far as the importer knows what to do with them.
enum ElementType: Hashable, CustomStringConvertible {
  case float
  case double
  case float16
  case bfloat16
  case int8
  case int16
  case int32
  case int64
  case uint8
  case uint16
  case uint32
  case uint64
  case bool
  case other(Int)

  /// The type with ONNX's number for it.
  init(number: Int32) {
    self =
      switch number {
      case 1: .float
      case 2: .uint8
      case 3: .int8
      case 4: .uint16
      case 5: .int16
      case 6: .int32
      case 7: .int64
      case 9: .bool
      case 10: .float16
      case 11: .double
      case 12: .uint32
      case 13: .uint64
      case 16: .bfloat16
      default: .other(Int(number))
      }
  }

  /// The bytes that an element takes in `raw_data`.
  var byteCount: Int? {
    switch self {
    case .bool, .int8, .uint8: 1
    case .float16, .bfloat16, .int16, .uint16: 2
    case .float, .int32, .uint32: 4
    case .double, .int64, .uint64: 8
    case .other: nil
    }
  }

  /// Whether elements are real numbers of a precision that is read.
  var isReal: Bool { [.float, .double, .float16, .bfloat16].contains(self) }

  /// Whether elements are integers or truth values.
  var isInteger: Bool {
    switch self {
    case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64, .bool: true
    default: false
    }
  }

  /// What elements are in the graph; types that are not read count as real numbers.
  var kind: ElementKind {
    switch self {
    case .int8: .integer(.int8)
    case .int16: .integer(.int16)
    case .int32: .integer(.int32)
    case .int64: .integer(.int64)
    case .uint8: .integer(.uint8)
    case .uint16: .integer(.uint16)
    case .uint32: .integer(.uint32)
    case .uint64: .integer(.uint64)
    case .bool: .truth
    case .float, .double, .float16, .bfloat16, .other: .real
    }
  }

  /// The type in which a file has what the graph has.
  init(_ kind: ElementKind) {
    self =
      switch kind {
      case .real: .float
      case .truth: .bool
      case .integer(.int8): .int8
      case .integer(.int16): .int16
      case .integer(.int32): .int32
      case .integer(.int64): .int64
      case .integer(.uint8): .uint8
      case .integer(.uint16): .uint16
      case .integer(.uint32): .uint32
      case .integer(.uint64): .uint64
      }
  }

  /// ONNX's name.
  var description: String {
    switch self {
    case .float: "FLOAT"
    case .double: "DOUBLE"
    case .float16: "FLOAT16"
    case .bfloat16: "BFLOAT16"
    case .int8: "INT8"
    case .int16: "INT16"
    case .uint8: "UINT8"
    case .uint16: "UINT16"
    case .uint32: "UINT32"
    case .uint64: "UINT64"
    case .int32: "INT32"
    case .int64: "INT64"
    case .bool: "BOOL"
    case .other(let number): Self.otherNames[number] ?? "number \(number)"
    }
  }

  private static let otherNames = [
    0: "UNDEFINED", 8: "STRING", 14: "COMPLEX64", 15: "COMPLEX128", 17: "FLOAT8E4M3FN", 18: "FLOAT8E4M3FNUZ",
    19: "FLOAT8E5M2", 20: "FLOAT8E5M2FNUZ", 21: "UINT4", 22: "INT4", 23: "FLOAT4E2M1", 24: "FLOAT8E8M0",
  ]
}

extension ElementKind {
  /// What the elements of a graph's input are declared to be.
  init(of input: UnsafePointer<ValueInfoProto>) {
    guard let type = input.pointee.type, type.pointee.value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE,
      let tensor = type.pointee.tensor_type
    else {
      self = .real
      return
    }
    self = ElementType(number: Int32(tensor.pointee.elem_type)).kind
  }

  /// The type that elements have in the file.
  var elementType: Onnx__TensorProto__DataType {
    switch self {
    case .real: ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT
    case .truth: ONNX__TENSOR_PROTO__DATA_TYPE__BOOL
    case .integer(.int8): ONNX__TENSOR_PROTO__DATA_TYPE__INT8
    case .integer(.int16): ONNX__TENSOR_PROTO__DATA_TYPE__INT16
    case .integer(.int32): ONNX__TENSOR_PROTO__DATA_TYPE__INT32
    case .integer(.int64): ONNX__TENSOR_PROTO__DATA_TYPE__INT64
    case .integer(.uint8): ONNX__TENSOR_PROTO__DATA_TYPE__UINT8
    case .integer(.uint16): ONNX__TENSOR_PROTO__DATA_TYPE__UINT16
    case .integer(.uint32): ONNX__TENSOR_PROTO__DATA_TYPE__UINT32
    case .integer(.uint64): ONNX__TENSOR_PROTO__DATA_TYPE__UINT64
    }
  }
}
