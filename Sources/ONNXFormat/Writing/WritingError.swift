import Support

/// Why a network cannot be written as an ONNX file.
package enum ONNXWritingError: RelevanceKitError, Equatable {
  case cannotWrite(String, reason: String)
  case replacesInput(String)
  case tooLarge(String, bytes: Int)
  case exceedsHalf(String, tensor: String, value: Float)

  package var category: ErrorCategory {
    switch self {
    case .cannotWrite: .cannotWrite
    case .replacesInput: .usage
    case .tooLarge, .exceedsHalf: .badData
    }
  }

  package var description: String {
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
