import Support
import Tensors

/// A picture that cannot be read, used or written. Each case names the file first.
package enum ImageError: RelevanceKitError, Equatable {
  case missing(String)
  case unreadable(String, reason: String)
  case unknownFormat(String, found: String)
  case truncated(String, format: ImageFormat, found: Int)
  case damaged(String, format: ImageFormat, reason: String)
  case unsupported(String, format: ImageFormat, found: String)
  case tooLarge(String, width: Int, height: Int)
  case outOfMemory(String)
  case cannotWrite(String, reason: String)

  /// The kind of failure.
  package var category: ErrorCategory {
    switch self {
    case .missing, .unreadable: .missingInput
    case .unknownFormat, .truncated, .damaged, .unsupported, .tooLarge, .outOfMemory: .badData
    case .cannotWrite: .cannotWrite
    }
  }

  /// What went wrong, in one sentence that starts with the file.
  package var description: String {
    switch self {
    case .missing(let file): "\(file): no such file; expected a JPEG or PNG picture"
    case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
    case .unknownFormat(let file, let found): "\(file): not a picture: expected JPEG or PNG, found \(found)"
    case .truncated(let file, let format, let found):
      "\(file): truncated \(format): expected more data, but the file ends after \(found) bytes"
    case .damaged(let file, let format, let reason): "\(file): damaged \(format): \(reason)"
    case .unsupported(let file, let format, let found):
      "\(file): \(format) of an unsupported kind: expected 8-bit gray, RGB, YCbCr, CMYK or YCCK, found \(found)"
    case .tooLarge(let file, let width, let height):
      "\(file): too large: expected at most \(RGBImage.pixelLimit) pixels, found \(width)×\(height)"
    case .outOfMemory(let file): "\(file): not enough memory for the picture"
    case .cannotWrite(let file, let reason): "\(file): cannot be written: \(reason)"
    }
  }
}

/// The formats that are read.
package enum ImageFormat: String, Sendable, CustomStringConvertible {
  /// JPEG, baseline or progressive.
  case jpeg = "JPEG"
  /// Portable Network Graphics.
  case png = "PNG"

  /// The usual abbreviation.
  package var description: String { rawValue }
}
