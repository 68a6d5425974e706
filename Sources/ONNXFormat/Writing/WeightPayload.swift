import RelevanceTensors

/// The elements of a tensor in the form of the file, converted while they are written.
struct WeightPayload {
  /// The form of the elements in the file.
  enum Form: Hashable {
    case float, half

    var byteCount: Int { self == .float ? 4 : 2 }
  }

  let name: String
  let tensor: Tensor
  let form: Form
  /// Whether rows and columns are exchanged first.
  let transposed: Bool

  var count: Int { tensor.count * form.byteCount }

  /// Passes the bytes on in order, in pieces of at most a few megabytes, except for a matrix that is transposed.
  ///
  /// - Throws: Errors of `sink`; `Defect` for an element that exceeds the range of FLOAT16.
  func write(_ sink: (UnsafeRawBufferPointer) throws -> Void) throws {
    let tensor = transposed ? self.tensor.transposed([1, 0]) : self.tensor
    try tensor.withUnsafeElements { elements in
      var halves = [UInt16](repeating: 0, count: form == .half ? min(Self.piece, elements.count) : 0)
      for start in stride(from: 0, to: elements.count, by: Self.piece) {
        let part = elements[start..<min(start + Self.piece, elements.count)]
        guard form == .half else {
          try sink(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: part)))
          continue
        }
        for (index, element) in part.enumerated() {
          guard abs(element) <= 65504 else {
            throw Defect("\(element) exceeds the range of FLOAT16; expected at most 65504")
          }
          halves[index] = element.halfBits
        }
        try halves.withUnsafeBytes { try sink(UnsafeRawBufferPointer(rebasing: $0[..<(part.count * 2)])) }
      }
    }
  }

  private static let piece = 1 << 20
}
