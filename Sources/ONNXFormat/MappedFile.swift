import CRelevancePlatform
import Foundation
import RelevanceSupport

/// The bytes of a file, mapped into memory for reading, or read into it.
///
/// The mapping exists as long as a reference to this object does; tensors in it hold one. The system loads pages from
/// the file on first access and may drop them again. The file must not be shortened in the meantime: access to a
/// missing page ends the process (the tools print an error first). If this cannot be ruled out, read the file instead.
final class MappedFile: @unchecked Sendable {
  /// The path that was opened, or a name for bytes from elsewhere.
  let path: String
  let count: Int
  // Never written through. The memory is released once, in deinit.
  let base: UnsafeRawPointer
  private let isMapped: Bool
  /// The identifier of the mapping for the signal handler that reports missing pages.
  private let note: Int32

  /// Maps a file. If it is a symbolic link that was stored as text, maps its target.
  ///
  /// - Parameter maps: Whether the file is mapped. Otherwise it is read.
  /// - Throws: `RelevanceKitError` for a file that cannot be read (a folder, a pipe, no permission) or is empty.
  init(_ path: String, maps: Bool = true) throws {
    let file: ReadableFile
    do { file = try ReadableFile(LinkText.target(of: path) ?? path) } catch FileProblem.missing {
      throw ONNXError.file(path, reason: "there is no such file", category: .missingInput)
    } catch let problem as FileProblem {
      throw ONNXError.unreadable(path, reason: problem.reason)
    }
    guard let size = file.size else { throw ONNXError.unreadable(path, reason: "it is not a regular file") }
    guard size > 0 else { throw ONNXError.empty(path) }
    (self.path, count, isMapped) = (path, size, maps)
    if maps {
      guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.descriptor, 0), address != MAP_FAILED
      else { throw ONNXError.unreadable(path, reason: String(cString: strerror(errno))) }
      base = UnsafeRawPointer(address)
      note = path.withCString { cplatform_note_mapping(address, size, $0) }
    } else {
      var memory: UnsafeMutableRawPointer?
      guard posix_memalign(&memory, 64, size) == 0, let memory else {
        throw ONNXError.unreadable(path, reason: "there is not enough memory for its \(size) bytes")
      }
      (base, note) = (UnsafeRawPointer(memory), -1)
      // From here on deinit frees the memory, also after an error.
      let isWhole: Bool
      do { isWhole = try file.fill(UnsafeMutableRawBufferPointer(start: memory, count: size)) } catch let problem
        as FileProblem
      { throw ONNXError.unreadable(path, reason: problem.reason) }
      guard isWhole else {
        throw ONNXError.file(path, reason: "the file became shorter while it was read; expected \(size) bytes")
      }
    }
  }

  /// Copies bytes from memory.
  ///
  /// - Throws: `RelevanceKitError`.
  init(copying bytes: [UInt8], name: String) throws {
    guard !bytes.isEmpty else { throw ONNXError.empty(name) }
    var memory: UnsafeMutableRawPointer?
    guard posix_memalign(&memory, 64, bytes.count) == 0, let memory else {
      throw ONNXError.file(name, reason: "there is not enough memory for its \(bytes.count) bytes")
    }
    bytes.withUnsafeBytes { memory.copyMemory(from: $0.baseAddress!, byteCount: bytes.count) }
    self.path = name
    self.count = bytes.count
    self.base = UnsafeRawPointer(memory)
    self.isMapped = false
    self.note = -1
  }

  /// A description of the file if it is a pointer to a large file that Git LFS has not downloaded; nil otherwise.
  var largeFilePointer: String? {
    guard count < 1024 else { return nil }
    let text = String(decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
    guard text.hasPrefix("version https://git-lfs.github.com/spec/") else { return nil }
    let size = text.split(separator: "\n").first { $0.hasPrefix("size ") }.flatMap { Int($0.dropFirst(5)) }
    return "a Git LFS pointer to a file\(size.map { " of \($0) bytes" } ?? ""); expected the file; run git lfs pull"
  }

  /// Fills `target` with the bytes from `offset` on, and releases the pages that were read for this to the system: a
  /// large copy needs only its own size in memory.
  ///
  /// Traps if the file has fewer bytes.
  func copyBytes(from offset: Int, to target: UnsafeMutableRawBufferPointer) {
    precondition(offset >= 0 && target.count <= count - offset, "the bytes are not all in \(path)")
    let chunk = 4 << 20
    for start in stride(from: 0, to: target.count, by: chunk) {
      let length = min(chunk, target.count - start)
      target.baseAddress!.advanced(by: start).copyMemory(from: base + offset + start, byteCount: length)
      releasePages(from: offset + start, count: length)
    }
  }

  /// Releases the pages of some bytes to the system. Bytes that are read nevertheless are read from the file again.
  func releasePages(from offset: Int, count: Int) {
    let page = Int(getpagesize())
    guard isMapped, count >= 16 * page else { return }
    // The first and last pages may also contain other data, which would only be read again.
    let start = Int(bitPattern: base) + offset
    let address = start / page * page
    madvise(
      UnsafeMutableRawPointer(bitPattern: address), (start + count - address + page - 1) / page * page, MADV_DONTNEED)
  }

  deinit {
    let memory = UnsafeMutableRawPointer(mutating: base)
    cplatform_forget_mapping(note)
    if isMapped { munmap(memory, count) } else { free(memory) }
  }
}
