import Foundation

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// The location of a file or folder: a `String` (a path), a `FilePath`, or a file `URL`.
public protocol FileLocation {
  /// The path, absolute or relative to the working directory. For a URL that is not a file URL, it is a path that does
  /// not exist.
  var fileSystemPath: String { get }
}

extension String: FileLocation {
  public var fileSystemPath: String { self }
}

extension URL: FileLocation {
  public var fileSystemPath: String { isFileURL ? path : absoluteString }
}

extension FilePath: FileLocation {
  public var fileSystemPath: String { string }
}
