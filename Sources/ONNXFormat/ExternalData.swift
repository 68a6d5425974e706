import Foundation
import RelevanceSupport

/// The files beside a model that hold its tensors; each is mapped once, when it is first needed.
final class ExternalData {
  private let model: String
  private let folder: String?
  private let maps: Bool
  /// The folder of the file that a symbolic link to the model leads to, with its own links followed.
  private let linkedFolder: String?
  private var files: [String: MappedFile] = [:]
  private var digests: [String: String] = [:]

  /// The external data of the model of that name; `folder` is where its files may be, nil if there are none; `linkedFolder` is another place
  /// where they may be: a cache, say, to the files of which links lead from the model's folder.
  init(model: String, folder: String?, linkedFolder: String? = nil, maps: Bool = true) {
    (self.model, self.folder, self.maps) = (model, folder, maps)
    self.linkedFolder = linkedFolder
  }

  var paths: [String] { files.values.map(\.path).sorted() }

  /// The file at `location`, a path relative to the model's folder that must not lead out of it.
  ///
  /// - Throws: `RelevanceKitError` naming the tensor and the file.
  func file(at location: String, tensor: String) throws -> MappedFile {
    if let file = files[location] { return file }
    func refuse(_ reason: String) -> ONNXError { .tensor(file: model, name: tensor, reason: reason) }
    guard let folder else {
      throw refuse(
        "its data is in the file \(shown(location)), but the model was read from memory, with no folder beside it")
    }
    guard !location.isEmpty else { throw refuse("its external data has no location") }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.hasPrefix("/"), !parts.contains("..") else {
      throw refuse("external data may not leave the model's folder; found the path \(shown(location))")
    }
    var path = folder + "/" + location
    if let linkedFolder, !FileSystem.exists(path), FileSystem.exists(linkedFolder + "/" + location) {
      path = linkedFolder + "/" + location
    }
    // Symbolic links are followed first, so that they cannot lead out either.
    let followed = linkedFolder == nil ? path : LinkText.target(of: path) ?? path
    guard let real = Self.resolved(followed), let root = Self.resolved(folder) else {
      guard errno == ENOENT || errno == ENOTDIR else {
        throw refuse("its data is in \(shown(path)), which cannot be read: \(String(cString: strerror(errno)))")
      }
      throw ONNXError.missingExternalData(file: model, tensor: tensor, path: shown(path))
    }
    guard
      [root, linkedFolder].contains(where: { $0.map { real.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") } ?? false })
    else {
      throw refuse("external data may not leave the model's folder; \(shown(location)) leads to \(real)")
    }
    do {
      let file = try MappedFile(real, maps: maps)
      if let pointer = file.largeFilePointer { throw refuse("its data is in \(shown(path)), which is \(pointer)") }
      files[location] = file
      return file
    } catch ONNXError.empty {
      throw refuse("its data is in \(shown(path)), which is empty")
    } catch ONNXError.unreadable(_, let reason) {
      throw refuse("its data is in \(shown(path)), which cannot be read: \(reason)")
    }
  }

  /// Compares the file at `location`, which was opened before, with the checksum that a tensor states for it: the digest of
  /// the whole file, which is read for it once.
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
        reason: "its external data \(shown(location)) has the SHA-1 checksum \(digest); expected \(shown(checksum))")
    }
  }

  /// The folder of the file that a path leads to, if that is another one than the path's.
  static func linkedFolder(of path: String) -> String? {
    guard let real = resolved(LinkText.target(of: path) ?? path) else { return nil }
    let folder = PathText.parts(of: real).folder
    return folder == resolved(PathText.parts(of: path).folder) ? nil : folder
  }

  private static func resolved(_ path: String) -> String? { FileSystem.realPath(path) }
}
