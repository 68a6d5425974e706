import Foundation
import RelevanceSupport

enum Files {
  /// File extensions of supported image formats.
  private static let imageExtensions: Set = ["jpg", "jpeg", "png"]
  /// File extensions of image formats that are not supported.
  private static let otherExtensions: Set = ["bmp", "gif", "pbm", "pgm", "ppm", "tif", "tiff", "webp"]
  /// Folders that are nested deeper are not searched.
  private static let depthLimit = 32

  /// Whether a path is a folder; nil if it does not exist.
  static func isFolder(_ path: String) -> Bool? {
    FileSystem.isFolder(path)
  }

  static func data(_ path: String, expected: String) throws -> Data {
    do { return try ReadableFile.data(path) } catch FileProblem.missing {
      throw SimpleError.missing(path, expected: expected)
    } catch FileProblem.folder {
      throw SimpleError.invalid(path, expected: expected, found: "a folder")
    } catch let problem as FileProblem {
      throw SimpleError.unreadable(path, reason: problem.reason)
    }
  }

  /// The text of a file, without a byte order mark.
  static func text(_ path: String, expected: String) throws -> String {
    guard let text = String(validating: try data(path, expected: expected), as: UTF8.self) else {
      throw SimpleError.invalid(path, expected: "text in UTF-8", found: "other bytes")
    }
    return text.hasPrefix("\u{FEFF}") ? String(text.dropFirst()) : text
  }

  /// The value decoded from the JSON text of a file.
  static func decoded<Value: Decodable>(_ data: Data, _ path: String) throws -> Value {
    do { return try JSONDecoder().decode(Value.self, from: data) } catch { throw SimpleError.json(path, error) }
  }

  /// The names in a folder, except for hidden files, sorted by code points, as in Python.
  static func names(in folder: String) throws -> [String] {
    guard isFolder(folder) == true else { throw SimpleError.missing(folder, expected: "a folder") }
    do {
      return try FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }
        .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch let problem as FileProblem {
      throw SimpleError.unreadable(folder, reason: problem.reason)
    }
  }

  static func folders(in folder: String) throws -> [String] {
    try names(in: folder).filter { !isImage($0) && isFolder("\(folder)/\($0)") == true }
  }

  /// All files below a folder, as paths relative to it. Links to folders are followed; each folder is visited once.
  static func allFiles(below folder: String) throws -> [String] {
    var visited: Set<String> = []
    var files: [String] = []
    func visit(_ below: String, depth: Int) throws {
      let path = below.isEmpty ? folder : "\(folder)/\(below)"
      let actual = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
      guard depth < depthLimit, visited.insert(actual).inserted else { return }
      for name in try names(in: path) {
        let file = below.isEmpty ? name : "\(below)/\(name)"
        // A file system query for each of a million images is slow.
        if isImage(name) || isFolder("\(folder)/\(file)") != true {
          files.append(file)
        } else {
          try visit(file, depth: depth + 1)
        }
      }
    }
    try visit("", depth: 0)
    return files
  }

  /// Whether a folder contains images, at any depth.
  static func holdsImages(_ folder: String) throws -> Bool { try allFiles(below: folder).contains(where: isImage) }

  static func isImage(_ name: String) -> Bool { imageExtensions.contains(fileExtension(of: name)) }

  /// Whether the name has the extension of an image format that is not supported.
  static func isOtherImage(_ name: String) -> Bool { otherExtensions.contains(fileExtension(of: name)) }

  static func fileExtension(of path: String) -> String { PathText.fileExtension(of: path).lowercased() }

  static func stem(of path: String) -> String { PathText.stem(of: path) }

  static func lastName(of path: String) -> String { PathText.parts(of: path).name }

  static func folder(of path: String) -> String { PathText.parts(of: path).folder }
}

extension Int {
  /// The count and the verb: “1 image is”, “2 images are”.
  func things(_ noun: String) -> String { self == 1 ? "1 \(noun) is" : "\(self) \(noun)s are" }
}
