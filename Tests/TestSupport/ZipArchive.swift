import CRelevanceZlib
import Foundation

/// Members of zip files as Python's `zipfile` writes them: deflated or stored, sizes and checksum in front of each.
enum ZipArchive {
  /// What is wrong with an archive.
  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The bytes of the member with a name; `archive` is what errors call the file.
  static func member(_ name: String, of data: Data, archive: String) throws -> Data {
    let bytes = [UInt8](data)
    func number(_ offset: Int, _ count: Int) -> Int {
      (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    var start = 0
    while start + 30 <= bytes.count, number(start, 4) == 0x0403_4b50 {
      let (stored, size) = (number(start + 18, 4), number(start + 22, 4))
      let first = start + 30 + number(start + 26, 2) + number(start + 28, 2)
      guard first + stored <= bytes.count else { throw Failure(description: "\(archive): ends early") }
      if bytes[start + 30..<first].starts(with: name.utf8), number(start + 26, 2) == name.utf8.count {
        let content = Array(bytes[first..<first + stored])
        let found = number(start + 8, 2) == 0 ? content : try inflated(content, size, "\(archive): \(name)")
        guard found.count == size, crc32(0, found, UInt32(found.count)) == number(start + 14, 4) else {
          throw Failure(description: "\(archive): \(name) is damaged: its checksum differs")
        }
        return Data(found)
      }
      start = first + stored
    }
    throw Failure(description: "\(archive): has no member \(name)")
  }

  /// `size` bytes from a raw deflate stream.
  private static func inflated(_ content: [UInt8], _ size: Int, _ name: String) throws -> [UInt8] {
    var source = content
    return try [UInt8](unsafeUninitializedCapacity: size) { target, count in
      try source.withUnsafeMutableBufferPointer { source in
        var stream = z_stream()
        (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
        (stream.next_out, stream.avail_out) = (target.baseAddress, UInt32(size))
        // Negative: without the header of a zlib stream.
        guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
          throw Failure(description: "\(name): zlib does not start")
        }
        defer { inflateEnd(&stream) }
        guard inflate(&stream, Z_FINISH) == Z_STREAM_END else { throw Failure(description: "\(name): is damaged") }
        count = size - Int(stream.avail_out)
      }
    }
  }
}
