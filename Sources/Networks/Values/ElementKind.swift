/// The kind of elements.
///
/// All values that depend on the input are stored in single precision, regardless of their kind. Integers are exact up
/// to 2²⁴; beyond that, they are the nearest numbers that a `Float` can represent. Integer arithmetic follows the
/// integers' type and uses the stored integers. The precisions of ONNX's floating-point types are ignored: FLOAT16,
/// BFLOAT16 and DOUBLE are computed as FLOAT.
package enum ElementKind: Hashable, Sendable {
  /// Real numbers of any of ONNX's floating-point types.
  case real
  /// Integers of one of ONNX's types.
  case integer(IntegerType)
  /// Boolean values, ONNX's `bool`; as numbers, 0 and 1.
  case truth

  package var integerType: IntegerType? { if case .integer(let type) = self { type } else { nil } }

  /// Whether all values of another kind are values of this kind, so that a cast changes none.
  package func holds(_ other: ElementKind) -> Bool {
    switch (self, other) {
    case (.real, _), (.truth, .truth), (.integer, .truth): true
    case (.integer(let type), .integer(let narrower)):
      type == narrower || (type.isSigned || !narrower.isSigned) && type.bitWidth > narrower.bitWidth
    default: false
    }
  }
}

/// ONNX's integer types.
package enum IntegerType: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  case int8
  case int16
  case int32
  case int64
  case uint8
  case uint16
  case uint32
  case uint64

  package var isSigned: Bool {
    switch self {
    case .int8, .int16, .int32, .int64: true
    case .uint8, .uint16, .uint32, .uint64: false
    }
  }

  package var bitWidth: Int {
    switch self {
    case .int8, .uint8: 8
    case .int16, .uint16: 16
    case .int32, .uint32: 32
    case .int64, .uint64: 64
    }
  }

  package var description: String { rawValue }
}
