import Foundation
import RelevanceSupport

/// The files beside a model that contain its tensors. Each file is mapped once, on first use.
final class ExternalData {
  private let model: String
  private let folder: String?
  private let maps: Bool
  /// The folder that contains the target of a symbolic link to the model, with its own links resolved.
  private let linkedFolder: String?
  private var files: [String: MappedFile] = [:]
  private var digests: [String: String] = [:]

  /// Creates the external data of the model named `model`. `folder` contains its files; nil means that it has none.
  /// `linkedFolder` is another folder that may contain them, for example a cache that the model's folder links to.
  init(model: String, folder: String?, linkedFolder: String? = nil, maps: Bool = true) {
    (self.model, self.folder, self.maps) = (model, folder, maps)
    self.linkedFolder = linkedFolder
  }

  var paths: [String] { files.values.map(\.path).sorted() }

  /// The file at `location`, a path relative to the model's folder that must not leave it.
  ///
  /// - Throws: `RelevanceKitError` that names the tensor and the file.
  func file(at location: String, tensor: String) throws -> MappedFile {
    if let file = files[location] { return file }
    func refuse(_ reason: String) -> ONNXError { .tensor(file: model, name: tensor, reason: reason) }
    guard let folder else {
      throw refuse(
        "the data is in the file \(shown(location)), but the model was read from memory; expected a folder")
    }
    guard !location.isEmpty else { throw refuse("the external data has no location; expected a file name") }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains("..") else {
      throw refuse("the external data is at \(shown(location)); expected a path inside the model's folder")
    }
    var path = folder + "/" + location
    if let linkedFolder, !FileSystem.exists(path), FileSystem.exists(linkedFolder + "/" + location) {
      path = linkedFolder + "/" + location
    }
    // Symbolic links are resolved first, so that they cannot leave the folder either.
    let followed = linkedFolder == nil ? path : LinkText.target(of: path) ?? path
    guard let real = Self.resolved(followed), let root = Self.resolved(folder) else {
      guard errno == ENOENT || errno == ENOTDIR else {
        throw refuse("the data file \(shown(path)) cannot be read: \(String(cString: strerror(errno)))")
      }
      throw ONNXError.missingExternalData(file: model, tensor: tensor, path: shown(path))
    }
    guard
      [root, linkedFolder].contains(where: { $0.map { real.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") } ?? false })
    else {
      throw refuse("the external data \(shown(location)) leads to \(real); expected a file inside the model's folder")
    }
    do {
      let file = try MappedFile(real, maps: maps)
      if let pointer = file.largeFilePointer { throw refuse("the data file \(shown(path)) is \(pointer)") }
      files[location] = file
      return file
    } catch ONNXError.empty {
      throw refuse("the data file \(shown(path)) is empty")
    } catch ONNXError.unreadable(_, let reason) {
      throw refuse("the data file \(shown(path)) cannot be read: \(reason)")
    }
  }

  /// Compares the checksum that a tensor declares for the file at `location` with the digest of the whole file. The
  /// file was opened before; it is read once for the digest.
  ///
  /// - Throws: `RelevanceKitError` if they differ.
  func verify(_ checksum: String, of location: String, tensor: String) throws {
    guard let file = files[location] else { return }
    let digest =
      digests[location] ?? SHA1.digest(of: UnsafeRawBufferPointer(start: file.base, count: file.count)).hexadecimal
    digests[location] = digest
    guard checksum.lowercased() == digest else {
      throw ONNXError.tensor(
        file: model, name: tensor,
        reason: "the external data \(shown(location)) has the SHA-1 checksum \(digest); expected \(shown(checksum))")
    }
  }

  /// The folder that contains the target of a path, if it differs from the folder of the path.
  static func linkedFolder(of path: String) -> String? {
    guard let real = resolved(LinkText.target(of: path) ?? path) else { return nil }
    let folder = PathText.parts(of: real).folder
    return folder == resolved(PathText.parts(of: path).folder) ? nil : folder
  }

  private static func resolved(_ path: String) -> String? { FileSystem.realPath(path) }
}
