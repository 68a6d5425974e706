import Foundation
import RelevanceImaging
import RelevanceSupport
import RelevanceTensors
import Testing

/// The path of a file in Fixtures/imaging.
func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("Fixtures/imaging/\(name)").path
}

/// The image of shape height × width × 3 in a `.npy` fixture.
func expectedImage(_ name: String) throws -> RGBImage {
  let bytes = try NumPyFile.read(fixture(name))
  #expect(bytes.shape.rank == 3 && bytes.shape[2] == 3)
  return try RGBImage(width: bytes.shape[1], height: bytes.shape[0], pixels: bytes.elements.map { UInt8($0) })
}

/// The difference between two images.
struct Difference: CustomStringConvertible {
  /// The largest difference of a byte; 256 if the sizes differ.
  var largest = 0
  /// The share of bytes that differ.
  var share = 0.0

  init(_ a: RGBImage, _ b: RGBImage) {
    guard a.width == b.width, a.height == b.height else {
      (largest, share) = (256, 1)
      return
    }
    let differences = zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }
    largest = differences.max() ?? 0
    share = Double(differences.count { $0 > 0 }) / Double(max(differences.count, 1))
  }

  var description: String { "largest \(largest), share \(share)" }
}

/// Runs `body` with a new folder, which is removed afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("imaging-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// The message of the error that `body` throws, without `folder`.
func sentence(without folder: String? = nil, _ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch let error as any RelevanceKitError {
    return folder.map { error.description.replacingOccurrences(of: $0 + "/", with: "") } ?? error.description
  } catch {
    return "another error: \(error)"
  }
}

/// A reproducible image of random pixels.
func noise(width: Int, height: Int, seed: UInt64 = 1) throws -> RGBImage {
  var state = seed
  return try RGBImage(
    width: width, height: height,
    pixels: (0..<width * height * 3).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 56)
    })
}
