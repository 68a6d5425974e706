import Foundation
import RelevanceKit
import Synchronization

/// The images of the service: the files that it was started with, and the latest uploads.
final class Images: Sendable {
  /// The bytes and the name of an image file.
  struct Source: Sendable {
    let name: String
    /// Nil for an upload.
    let path: String?
    let data: Data
  }

  /// The memory for uploaded files, in bytes.
  static let uploadLimit = 64 << 20
  /// The memory for decoded images, in bytes.
  private static let decodedLimit = 128 << 20
  /// The largest number of files to list.
  private static let most = 10_000

  /// The resolved paths of the folders and files.
  private let roots: [String]
  let bytesLimit: Int
  let pixelLimit: Int
  private let uploads = Mutex(RecentlyUsed<String, Source>(limit: uploadLimit))
  private let decodedImages = Mutex(RecentlyUsed<String, RGBImage>(limit: decodedLimit))

  /// - Throws: `ServiceError` for a path that does not exist.
  init(_ paths: [String], bytesLimit: Int, pixelLimit: Int) throws {
    (self.bytesLimit, self.pixelLimit) = (bytesLimit, pixelLimit)
    roots = try paths.map { path in
      guard let real = Self.realPath(path) else {
        throw ServiceError(.missing, "\(path): no such file or folder; expected images")
      }
      return real
    }
  }

  /// The identifiers of all files, sorted: `file:ROOT/PATH`, where `ROOT` is the index of a folder.
  func files() -> [String] {
    var found: [String] = []
    for (number, root) in roots.enumerated() {
      guard isFolder(root) else {
        found.append("file:\(number)/" + Self.lastName(root))
        continue
      }
      let below = FileManager.default.enumerator(atPath: root)
      while let path = below?.nextObject() as? String, found.count < Self.most {
        let isHidden = path.split(separator: "/").contains { $0.hasPrefix(".") }
        guard !isHidden, Self.isImage(path), (try? file(number, path)) != nil else { continue }
        found.append("file:\(number)/" + path)
      }
    }
    return found.sorted { $0.localizedStandardCompare($1) == .orderedAscending }
  }

  /// The identifier of a file, or nil if the service may not read it.
  func identifier(ofFile path: String) -> String? {
    guard let real = Self.realPath(path) else { return nil }
    for (number, root) in roots.enumerated() {
      if real == root { return "file:\(number)/" + Self.lastName(root) }
      if real.hasPrefix(root + "/") { return "file:\(number)/" + real.dropFirst(root.count + 1) }
    }
    return nil
  }

  /// Stores an uploaded image, and returns its identifier. The same bytes have the same identifier.
  ///
  /// - Throws: `ServiceError` for too many bytes or pixels, and for data that is not an image.
  func upload(_ data: Data, name: String) throws -> (id: String, image: RGBImage) {
    guard data.count <= bytesLimit else {
      throw ServiceError(.tooLarge, "the image has \(data.count) bytes; expected at most \(bytesLimit)")
    }
    let image = try decoded(data, name: "the image")
    let id = uploads.withLock { uploads in
      let id =
        uploads.first(where: { $0.data == data }) ?? "upload:"
        + String(UInt64.random(in: UInt64.min...UInt64.max), radix: 16)
      uploads.keep(Source(name: name, path: nil, data: data), for: id, size: data.count)
      return id
    }
    decodedImages.withLock { $0.keep(image, for: id, size: image.pixels.count) }
    return (id, image)
  }

  /// The file with an identifier.
  ///
  /// - Throws: `ServiceError` if there is no such file, or if the service may not read it.
  func source(_ id: String) throws -> Source {
    if let upload = uploads.withLock({ $0.value(for: id) }) { return upload }
    guard id.hasPrefix("file:"), let slash = id.firstIndex(of: "/"),
      let number = Int(id[id.index(id.startIndex, offsetBy: 5)..<slash]), roots.indices.contains(number)
    else {
      throw ServiceError(
        .missing,
        id.hasPrefix("upload:")
          ? "the image is no longer kept; upload it again"
          : "there is no image \(id.prefix(80)); GET /api/overview lists them")
    }
    let path = try file(number, String(id[id.index(after: slash)...]))
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ServiceError(.missing, "\(id.prefix(80)) cannot be read")
    }
    return Source(name: Self.lastName(path), path: path, data: data)
  }

  /// The decoded image with an identifier.
  func image(_ id: String) throws -> RGBImage {
    if let found = decodedImages.withLock({ $0.value(for: id) }) { return found }
    let source = try source(id)
    let image = try decoded(source.data, name: source.name)
    decodedImages.withLock { $0.keep(image, for: id, size: image.pixels.count) }
    return image
  }

  private func decoded(_ data: Data, name: String) throws -> RGBImage {
    do { return try RGBImage(decoding: data, name: name, pixelLimit: pixelLimit) } catch let error
      as any RelevanceKitError
    {
      throw ServiceError(error.description.contains("too large") ? .tooLarge : .unanswerable, error.description)
    }
  }

  /// The resolved path of a file below a root.
  private func file(_ number: Int, _ name: String) throws -> String {
    let root = roots[number]
    let wanted = isFolder(root) ? root + "/" + name : (name == Self.lastName(root) ? root : "")
    guard Self.isImage(name), let real = Self.realPath(wanted), real == root || real.hasPrefix(root + "/"),
      let attributes = try? FileManager.default.attributesOfItem(atPath: real),
      attributes[.type] as? FileAttributeType == .typeRegular
    else { throw ServiceError(.missing, "there is no image \(name.prefix(80)); GET /api/overview lists them") }
    guard attributes[.size] as? Int ?? 0 <= bytesLimit else {
      throw ServiceError(.tooLarge, "\(name.prefix(80)) has more than \(bytesLimit) bytes")
    }
    return real
  }

  private func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  private static func isImage(_ name: String) -> Bool {
    ["jpg", "jpeg", "png"].contains(URL(fileURLWithPath: name).pathExtension.lowercased())
  }

  private static func lastName(_ path: String) -> String { URL(fileURLWithPath: path).lastPathComponent }

  /// The path without links and dots, or nil if it does not exist.
  private static func realPath(_ path: String) -> String? {
    guard !path.isEmpty, !path.utf8.contains(0), let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
