import Support

/// Why a network cannot be written as an ONNX file.
public enum ONNXWritingError: RelevanceKitError, Equatable {
  /// A file cannot be made or filled.
  case cannotWrite(String, reason: String)
  /// The file would replace one that the network is still read from.
  case replacesInput(String)
  /// Weights inside the file make it larger than ONNX allows.
  case tooLarge(String, bytes: Int)
  /// A weight is too large for a half-precision number.
  case exceedsHalf(String, tensor: String, value: Float)

  public var category: ErrorCategory {
    switch self {
    case .cannotWrite: .cannotWrite
    case .replacesInput: .usage
    case .tooLarge, .exceedsHalf: .badData
    }
  }

  public var description: String {
    switch self {
    case .cannotWrite(let file, let reason): "\(file): cannot be written: \(reason)"
    case .replacesInput(let file): "\(file): is one of the files that the network is read from; give another name"
    case .tooLarge(let file, let bytes):
      "\(file): with the weights inside, the file would have \(bytes) bytes; expected at most \(Int32.max)"
    case .exceedsHalf(let file, let tensor, let value):
      "\(file): tensor \(shown(tensor)): \(value) cannot be stored as FLOAT16; expected at most 65504"
    }
  }
}
