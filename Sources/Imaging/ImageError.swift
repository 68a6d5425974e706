import Support
import Tensors

/// A picture that cannot be read, used or written. Each case names the file first.
package enum ImageError: RelevanceKitError, Equatable {
  /// There is no such file.
  case missing(String)
  /// The file is there, but may not or cannot be read.
  case unreadable(String, reason: String)
  /// The content is neither JPEG nor PNG; `found` says what it looks like.
  case unknownFormat(String, found: String)
  /// The file ends before its picture does; sizes in bytes.
  case truncated(String, format: ImageFormat, found: Int)
  /// The content breaks the rules of its format.
  case damaged(String, format: ImageFormat, reason: String)
  /// A valid picture of a kind that is not read.
  case unsupported(String, format: ImageFormat, found: String)
  /// The picture has more than `RGBImage.pixelLimit` pixels.
  case tooLarge(String, width: Int, height: Int)
  /// Memory for the picture could not be had.
  case outOfMemory(String)
  /// The file could not be written.
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
