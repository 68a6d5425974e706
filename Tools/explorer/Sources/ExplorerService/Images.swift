import Foundation
import RelevanceKit
import Synchronization

/// The images that can be asked about: files that were named when the service began, and uploads, of which the latest are kept.
final class Images: Sendable {
  /// An image's bytes and what they are called.
  struct Source: Sendable {
    let name: String
    /// Nil for an upload.
    let path: String?
    let data: Data
  }

  /// What is kept of uploads, in bytes of their files.
  static let uploadLimit = 64 << 20
  /// What is kept of decoded pictures, in bytes.
  private static let pictureLimit = 128 << 20
  /// How many files are listed at most.
  private static let most = 10_000

  /// Real paths of folders and files.
  private let roots: [String]
  let bytesLimit: Int
  let pixelLimit: Int
  private let uploads = Mutex(RecentlyUsed<String, Source>(limit: uploadLimit))
  private let pictures = Mutex(RecentlyUsed<String, RGBImage>(limit: pictureLimit))

  /// - Throws: `ServiceError` for a path that is not there.
  init(_ paths: [String], bytesLimit: Int, pixelLimit: Int) throws {
    (self.bytesLimit, self.pixelLimit) = (bytesLimit, pixelLimit)
    roots = try paths.map { path in
      guard let real = Self.realPath(path) else {
        throw ServiceError(.missing, "\(path): no such file or folder; expected images")
      }
      return real
    }
  }

  /// The identifiers of all files, in order: `file:ROOT/path/below/it`.
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

  /// The identifier of a file that can be asked about; nil for all others.
  func identifier(ofFile path: String) -> String? {
    guard let real = Self.realPath(path) else { return nil }
    for (number, root) in roots.enumerated() {
      if real == root { return "file:\(number)/" + Self.lastName(root) }
      if real.hasPrefix(root + "/") { return "file:\(number)/" + real.dropFirst(root.count + 1) }
    }
    return nil
  }

  /// Takes an image, and returns its identifier, which is the same for the same bytes.
  ///
  /// - Throws: `ServiceError` for too many bytes or pixels, and for what is no image.
  func upload(_ data: Data, name: String) throws -> (id: String, picture: RGBImage) {
    guard data.count <= bytesLimit else {
      throw ServiceError(.tooLarge, "the image has \(data.count) bytes; expected at most \(bytesLimit)")
    }
    let picture = try decoded(data, name: "the image")
    let id = uploads.withLock { uploads in
      let id =
        uploads.first(where: { $0.data == data }) ?? "upload:"
        + String(UInt64.random(in: UInt64.min...UInt64.max), radix: 16)
      uploads.keep(Source(name: name, path: nil, data: data), for: id, size: data.count)
      return id
    }
    pictures.withLock { $0.keep(picture, for: id, size: picture.pixels.count) }
    return (id, picture)
  }

  /// The file of an image.
  ///
  /// - Throws: `ServiceError` if there is none of that name, or if it may not be read.
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

  /// An image's pixels.
  func picture(_ id: String) throws -> RGBImage {
    if let found = pictures.withLock({ $0.value(for: id) }) { return found }
    let source = try source(id)
    let picture = try decoded(source.data, name: source.name)
    pictures.withLock { $0.keep(picture, for: id, size: picture.pixels.count) }
    return picture
  }

  private func decoded(_ data: Data, name: String) throws -> RGBImage {
    do { return try RGBImage(decoding: data, name: name, pixelLimit: pixelLimit) } catch let error
      as any RelevanceKitError
    {
      throw ServiceError(error.description.contains("too large") ? .tooLarge : .unanswerable, error.description)
    }
  }

  /// The real path of a file below a root.
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

  /// Without links and dots; nil if nothing is there.
  private static func realPath(_ path: String) -> String? {
    guard !path.isEmpty, !path.utf8.contains(0), let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
