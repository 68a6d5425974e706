extension Tensor {
  /// Whether no element is NaN or infinite.
  package var isFinite: Bool { notFinite() == nil }

  /// The numbers of NaN and of infinite elements; nil if all are finite.
  ///
  /// - Complexity: O(`count`), limited by memory bandwidth if all are finite: weights are checked whenever a model is
  ///   opened.
  package func notFinite() -> (nan: Int, infinite: Int)? {
    withUnsafeElements { elements in
      guard let base = elements.baseAddress else { return nil }
      return base.withMemoryRebound(to: UInt32.self, capacity: elements.count) { bits in
        guard hasFullExponent(bits, elements.count) else { return nil }
        var (nan, infinite) = (0, 0)
        for index in 0..<elements.count {
          let magnitude = bits[index] & 0x7FFF_FFFF
          if magnitude > 0x7F80_0000 { nan += 1 } else if magnitude == 0x7F80_0000 { infinite += 1 }
        }
        return (nan, infinite)
      }
    }
  }
}

/// Whether one of the floats with the given bits is NaN or infinite, that is, has an exponent of ones.
///
/// Adding one to such an exponent carries into the sign bit, which is 0 before, and into no other float. Without
/// branches and comparisons, the loop compiles to vector instructions.
private func hasFullExponent(_ bits: UnsafePointer<UInt32>, _ count: Int) -> Bool {
  // Short runs, so that a damaged tensor is not read to its end.
  let run = 1 << 20
  for start in stride(from: 0, to: count, by: run) {
    var carries: UInt32 = 0
    for index in start..<min(start + run, count) { carries |= (bits[index] & 0x7FFF_FFFF) &+ 0x0080_0000 }
    if carries & 0x8000_0000 != 0 { return true }
  }
  return false
}
