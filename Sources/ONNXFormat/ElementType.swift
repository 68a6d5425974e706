import RelevanceNetworks

struct ElementType: Hashable, CustomStringConvertible {
  let number: Int32

  static let float = ElementType(number: 1)
  static let float16 = ElementType(number: 10)
  static let double = ElementType(number: 11)
  static let bfloat16 = ElementType(number: 16)
  private static let bool = ElementType(number: 9)
  static let uint8 = ElementType(number: 2)
  private static let uint4 = ElementType(number: 21)
  private static let int4 = ElementType(number: 22)
  private static let uint2 = ElementType(number: 25)
  private static let int2 = ElementType(number: 26)

  private static let names = [
    "UNDEFINED", "FLOAT", "UINT8", "INT8", "UINT16", "INT16", "INT32", "INT64", "STRING", "BOOL", "FLOAT16", "DOUBLE",
    "UINT32", "UINT64", "COMPLEX64", "COMPLEX128", "BFLOAT16", "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2",
    "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2",
  ]

  init(number: Int32) { self.number = number }

  /// The type with a name such as `FLOAT`.
  init?(named name: String) {
    guard let number = Self.names.firstIndex(of: name.uppercased()) else { return nil }
    self.init(number: Int32(number))
  }

  init(_ kind: ElementKind) {
    switch kind {
    case .real: self = .float
    case .truth: self = .bool
    case .integer(let type): self.init(number: Int32(Self.names.firstIndex(of: type.rawValue.uppercased())!))
    }
  }

  var description: String {
    Self.names.indices.contains(Int(number)) ? Self.names[Int(number)] : "number \(number)"
  }

  /// The kind of elements in the graph. Unsupported types count as real numbers.
  var kind: ElementKind {
    switch self {
    case .bool: .truth
    // No computation uses fewer than 8 bits.
    case .uint4, .uint2: .integer(.uint8)
    case .int4, .int2: .integer(.int8)
    default: IntegerType(rawValue: description.lowercased()).map { .integer($0) } ?? .real
    }
  }

  /// The bits of an element if several elements share a byte.
  var packedBits: Int? {
    switch self {
    case .uint4, .int4: 4
    case .uint2, .int2: 2
    default: nil
    }
  }

  /// The smallest and the largest integer of a type with up to 32 bits.
  var limits: ClosedRange<Int>? {
    switch self {
    case .uint4: 0...15
    case .int4: -8...7
    case .uint2: 0...3
    case .int2: -2...1
    default: kind.integerType.flatMap { $0.bitWidth > 32 ? nil : $0.lowest...$0.highest }
    }
  }

  /// The bytes of an element in `raw_data`; one byte for a packed type.
  var byteCount: Int? {
    switch self {
    case .bool: 1
    case .float16, .bfloat16: 2
    case .float: 4
    case .double: 8
    default: kind.integerType.map { $0.bitWidth / 8 }
    }
  }

  /// Whether elements are real numbers of a supported precision.
  var isReal: Bool { [.float, .double, .float16, .bfloat16].contains(self) }

  /// Whether elements are integers or Boolean values.
  var isInteger: Bool { kind != .real }
}
