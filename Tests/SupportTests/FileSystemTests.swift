import Foundation
import RelevanceSupport
import RelevanceTestSupport
import Testing

@Suite("Names and kinds of files")
struct FileSystemTests {
  /// All bytes of a name are preserved, also if a text contains the characters that represent bytes.
  @Test func namesKeepTheirBytes() {
    var random = SplitMix64(state: 17)
    let letters: [[UInt8]] = [
      [0x61], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x90, 0x98], [0xF4, 0x8F, 0xBE, 0x80],
      [0xF4, 0x8F, 0xBF, 0xBF],
      [0xE9], [0xFF], [0xC3], [0xF4, 0x8F], [0x80],
    ]
    for length in 0..<300 {
      let name = (0..<length % 12).flatMap { _ in letters[Int(random.next() % UInt64(letters.count))] }
      let text = FileSystem.text(of: name)
      let bytes = FileSystem.withBytes(of: text) { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
      #expect(bytes == name)
    }
    #expect(FileSystem.text(of: Array("café".utf8)) == "café" && FileSystem.isText("café"))
    let odd = FileSystem.text(of: [0x63, 0xE9])
    #expect(!FileSystem.isText(odd) && FileSystem.printable(odd) == #"c\xE9"#)
  }

  #if os(Linux)
    @Test func filesAreFoundByNamesThatAreNotUTF8() throws {
      let scratch = try Fixtures.Scratch()
      let name = FileSystem.text(of: [0x61, 0xE9, 0xFF])
      let folder = scratch.path(name)
      try FileSystem.makeFolder(folder + "/b")
      try AtomicFiles.write(Data([1, 2]), to: "\(folder)/\(name)")
      #expect(try FileSystem.names(in: scratch.path(".")).contains(name))
      #expect(try FileSystem.names(in: folder).sorted() == [name, "b"].sorted())
      #expect(try ReadableFile.data("\(folder)/\(name)") == Data([1, 2]))
      #expect(FileSystem.realPath(folder)?.hasSuffix(name) == true)
    }
  #endif

  @Test func nonFilesAreRejected() throws {
    let scratch = try Fixtures.Scratch()
    try #require(mkfifo(scratch.path("pipe"), 0o600) == 0)
    func problem(_ path: String) -> FileProblem? { #expect(throws: FileProblem.self) { try ReadableFile.data(path) } }
    #expect(problem(scratch.path("nothing")) == .missing)
    #expect(problem(scratch.path(".")) == .folder)
    #expect(problem(scratch.path("pipe")) == .other("it is not a regular file"))
    #expect(problem("/dev/zero") == .other("it is not a regular file"))
    #expect(problem(scratch.path(String(repeating: "n", count: 300))) == .other("File name too long"))
  }

  @Test func digestsOfFilesEqualDigestsOfBytes() throws {
    let scratch = try Fixtures.Scratch()
    for count in [0, 1, 55, 56, 63, 64, 65, 1 << 20, (1 << 20) + 1, (2 << 20) + 77] {
      let data = Data((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) })
      try data.write(to: URL(fileURLWithPath: scratch.path("file")))
      #expect(try SHA256.digest(ofFile: scratch.path("file")) == SHA256.digest(of: data))
    }
  }
}
