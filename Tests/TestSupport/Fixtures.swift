import Foundation
import RelevanceKit

/// Files that tests compare with, and their locations.
public enum Fixtures {
  /// The root folder of the package.
  public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The path of a fixture.
  public static func path(_ name: String) -> String { root.appendingPathComponent("Fixtures/\(name)").path }

  /// The bytes of a fixture: of the file, or of the member with its name in the archive `packed.zip` beside where it would be.
  public static func data(_ name: String) throws -> Data {
    let file = path(name)
    if FileManager.default.fileExists(atPath: file) { return try Data(contentsOf: URL(fileURLWithPath: file)) }
    let archive = path((name as NSString).deletingLastPathComponent) + "/packed.zip"
    return try ZipArchive.member(
      (name as NSString).lastPathComponent, of: Data(contentsOf: URL(fileURLWithPath: archive)), archive: archive)
  }

  /// A tensor from `Fixtures`: an `.npy` file, or an `.npz` file with a map in fixed point. Of a large seeded input, `<name>.json` has shape and seed.
  public static func tensor(_ name: String) throws -> Tensor {
    if name.hasSuffix(".npz") { return try FixedPointMap.decode(data(name), name: name) }
    let description = name.replacingOccurrences(of: ".npy", with: ".json")
    guard FileManager.default.fileExists(atPath: path(description)) else {
      return try NumPyFile.decode(data(name), name: name)
    }
    let seeded = try JSONDecoder().decode(SeededInput.self, from: data(description))
    return Seeded.tensor(TensorShape(seeded.shape), seed: seeded.seed)
  }

  private struct SeededInput: Decodable {
    let shape: [Int]
    let seed: UInt64
  }

  /// The files of `Manifest.json` whose paths begin with `prefix`, sorted.
  public static func listed(_ prefix: String) throws -> [String] {
    struct Manifest: Decodable {
      struct Family: Decodable { let files: [String: String] }
      let families: [Family]
    }
    let families = try JSONDecoder().decode(Manifest.self, from: data("Manifest.json")).families
    return families.flatMap(\.files.keys).filter { $0.hasPrefix(prefix) }.sorted()
  }

  /// Photographs that tests use if they are available.
  public static let images = root.deletingLastPathComponent().appendingPathComponent("shared/images")

  /// A folder for the files of one test, removed together with this object.
  public final class Scratch: Sendable {
    /// The folder.
    public let url: URL

    /// Creates an empty folder.
    public init() throws {
      url = FileManager.default.temporaryDirectory.appendingPathComponent("relevancekit-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    deinit { try? FileManager.default.removeItem(at: url) }
  }
}

/// A model that Tools/models has downloaded.
public enum FetchedModel {
  /// The folder of downloaded models.
  public static let folder: URL = {
    let environment = ProcessInfo.processInfo.environment
    if let folder = environment["RELEVANCEKIT_MODELS"] { return URL(fileURLWithPath: folder) }
    let cache = environment["XDG_CACHE_HOME"] ?? (environment["HOME"] ?? "") + "/.cache"
    return URL(fileURLWithPath: cache).appendingPathComponent("relevancekit")
  }()

  /// SqueezeNet 1.1 with ImageNet weights.
  public static let squeezeNet = folder.appendingPathComponent("squeezenet1.1").path

  /// Whether SqueezeNet 1.1 is available.
  public static let hasSqueezeNet: Bool = FileManager.default.fileExists(atPath: squeezeNet + "/model.onnx")

  /// VGG16's ImageNet convolutions with a fully connected head of 20 coarse classes, on machines that have it.
  public static let coarseVGG16 = folder.appendingPathComponent("vgg16-coarse").path

  /// Whether this network is available.
  public static let hasCoarseVGG16: Bool = FileManager.default.fileExists(atPath: coarseVGG16 + "/model.onnx")
}
