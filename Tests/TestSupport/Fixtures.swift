import Foundation
import RelevanceKit

/// Files that tests compare with, and their locations.
public enum Fixtures {
  /// The root folder of the package.
  public static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The path of a fixture.
  public static func path(_ name: String) -> String { root.appendingPathComponent("Fixtures/\(name)").path }

  /// A tensor from `Fixtures`.
  public static func tensor(_ name: String) throws -> Tensor { try NumPyFile.read(path(name)) }

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
