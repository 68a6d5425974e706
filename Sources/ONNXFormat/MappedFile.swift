import Foundation
import Support

/// The bytes of a file, mapped into memory for reading.
///
/// The mapping lasts as long as someone holds a reference; tensors that lie in it do. Pages come from the file when they
/// are first touched, and the system may drop them again. The file must not be shortened meanwhile: that would end the
/// process when a missing page is touched.
final class MappedFile: @unchecked Sendable {
  /// The path it was opened by, or a name for bytes that come from elsewhere.
  let path: String
  let count: Int
  // Never written through; the memory is released once, in deinit.
  let base: UnsafeRawPointer
  private let isMapped: Bool

  /// Maps a file, or the one that it leads to as a link that has become text.
  ///
  /// - Throws: `RelevanceKitError` for a file that cannot be read (a folder, a pipe, no permission) or is empty.
  init(_ path: String) throws {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let descriptor = open(LinkText.target(of: path) ?? path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      guard errno != ENOENT, errno != ENOTDIR else {
        throw ONNXError.file(path, reason: "there is no such file", category: .missingInput)
      }
      throw ONNXError.unreadable(path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw ONNXError.unreadable(path, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw ONNXError.unreadable(path, reason: isFolder ? "it is a folder" : "it is not a regular file")
    }
    guard status.st_size > 0 else { throw ONNXError.empty(path) }
    guard let address = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
    else { throw ONNXError.unreadable(path, reason: String(cString: strerror(errno))) }
    self.path = path
    self.count = Int(status.st_size)
    self.base = UnsafeRawPointer(address)
    self.isMapped = true
  }

  /// Copies bytes that are in memory already.
  ///
  /// - Throws: `RelevanceKitError`.
  init(copying bytes: [UInt8], name: String) throws {
    guard !bytes.isEmpty else { throw ONNXError.empty(name) }
    let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes.count, alignment: 64)
    bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
    self.path = name
    self.count = bytes.count
    self.base = UnsafeRawPointer(memory)
    self.isMapped = false
  }

  /// What stands in the place of a large file that Git LFS has not fetched, in words; nil for all other files.
  var largeFilePointer: String? {
    guard count < 1024 else { return nil }
    let text = String(decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
    guard text.hasPrefix("version https://git-lfs.github.com/spec/") else { return nil }
    let size = text.split(separator: "\n").first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
    return "a Git LFS pointer to a file\(size.map { " of \($0) bytes" } ?? ""), not that file; git lfs pull fetches it"
  }

  /// Copies the bytes from `offset` on, as many as fit, and lets the system take back the pages that were read for it:
  /// a large copy takes its own size in memory and not twice that.
  ///
  /// Traps if the file has fewer bytes.
  func copyBytes(from offset: Int, to target: UnsafeMutableRawBufferPointer) {
    precondition(offset >= 0 && target.count <= count - offset, "the bytes are not all in \(path)")
    let chunk = 4 << 20
    let page = Int(getpagesize())
    for start in stride(from: 0, to: target.count, by: chunk) {
      let length = min(chunk, target.count - start)
      let source = base + offset + start
      target.baseAddress!.advanced(by: start).copyMemory(from: source, byteCount: length)
      guard isMapped, length == chunk else { continue }
      // The first page may hold the end of something else; it would only be read again.
      let address = Int(bitPattern: source) / page * page
      madvise(UnsafeMutableRawPointer(bitPattern: address), (length + page - 1) / page * page, MADV_DONTNEED)
    }
  }

  deinit {
    let memory = UnsafeMutableRawPointer(mutating: base)
    if isMapped { munmap(memory, count) } else { memory.deallocate() }
  }
}
