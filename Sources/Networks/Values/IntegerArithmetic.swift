import Foundation

/// The arithmetic of ONNX's integers. An integer of any type is an `Int`; an integer of type `uint64` is its bit
/// pattern.
extension IntegerType {
  /// The integer modulo 2ⁿ, where n is the number of bits of the type.
  package func wrapped(_ x: Int) -> Int {
    switch self {
    case .int8: Int(Int8(truncatingIfNeeded: x))
    case .int16: Int(Int16(truncatingIfNeeded: x))
    case .int32: Int(Int32(truncatingIfNeeded: x))
    case .uint8: Int(UInt8(truncatingIfNeeded: x))
    case .uint16: Int(UInt16(truncatingIfNeeded: x))
    case .uint32: Int(UInt32(truncatingIfNeeded: x))
    case .int64, .uint64: x
    }
  }

  /// A cast of a real number, rounded toward zero.
  ///
  /// For numbers outside the type's range, and for NaN, the result is that of the x86-64 instructions, as in ONNX
  /// Runtime: types of 8 and 16 bits have the low bits of the cast to `int32`, and `uint32` has those of the cast to
  /// `int64`. These two casts give the smallest integer for numbers outside their range. In ONNX Runtime, casts to
  /// `uint32` of NaN and of numbers outside −2³¹ … 2³² depend on the position in the tensor; here they do not.
  package func converted(_ x: Double) -> Int {
    let whole = x.rounded(.towardZero)
    switch self {
    case .int8, .int16, .uint8, .uint16, .int32:
      return wrapped(whole >= -0x1p31 && whole < 0x1p31 ? Int(whole) : Int(Int32.min))
    case .uint64 where whole >= 0x1p63: return whole < 0x1p64 ? Int(bitPattern: UInt(whole)) : 0
    case .uint32, .int64, .uint64: return wrapped(whole >= -0x1p63 && whole < 0x1p63 ? Int(whole) : .min)
    }
  }

  /// The integer that a floating-point number represents: the nearest integer of the type, because the largest integers
  /// are rounded up to numbers outside the type's range.
  package func held(_ x: Double) -> Int {
    if x.isNaN { return 0 }
    if self == .uint64 { return x <= 0 ? 0 : x < 0x1p64 ? Int(bitPattern: UInt(x)) : -1 }
    return x <= Double(lowest) ? lowest : x >= Double(highest) ? highest : Int(x)
  }

  /// The integer that a number in single precision represents.
  package func held(_ x: Float) -> Int { held(Double(x)) }

  package func float(_ x: Int) -> Float { self == .uint64 ? Float(UInt(bitPattern: x)) : Float(x) }

  package func double(_ x: Int) -> Double { self == .uint64 ? Double(UInt(bitPattern: x)) : Double(x) }

  package var lowest: Int { isSigned ? Int.min >> (64 - bitWidth) : 0 }

  package var highest: Int { self == .uint64 ? -1 : isSigned ? Int.max >> (64 - bitWidth) : (1 << bitWidth) - 1 }

  func isLess(_ a: Int, _ b: Int) -> Bool { self == .uint64 ? UInt(bitPattern: a) < UInt(bitPattern: b) : a < b }

  /// `a / b`, rounded toward zero; nil for b = 0.
  func quotient(_ a: Int, _ b: Int) -> Int? {
    if b == 0 { return nil }
    if self == .uint64 { return Int(bitPattern: UInt(bitPattern: a) / UInt(bitPattern: b)) }
    return wrapped(a.dividedReportingOverflow(by: b).partialValue)
  }

  /// `a` to the power of `b`. Squares and cubes wrap; other powers are rounded from double precision, as in ONNX
  /// Runtime.
  func power(_ a: Int, _ b: Double) -> Int {
    if b == 2 { return wrapped(a &* a) }
    if b == 3 { return wrapped(a &* a &* a) }
    return converted(pow(double(a), b))
  }
}
