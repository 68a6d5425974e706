import Foundation

#if canImport(System)
  import System
#else
  import SystemPackage
#endif

/// Where a file or folder is: a `String` (a path), a `FilePath`, or a file `URL`.
public protocol FileLocation {
  /// The path, absolute or relative to the working directory. A URL that is no file's is a path at which nothing is.
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
