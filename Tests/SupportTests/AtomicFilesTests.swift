import Foundation
import RelevanceSupport
import RelevanceTestSupport
import Testing

@Suite("Files that appear when they are complete")
struct AtomicFilesTests {
  @Test func failedWritesLeaveNoFile() throws {
    struct Stop: Error {}
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("support-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("a.bin").path
    try AtomicFiles.write(Data([1]), to: path)
    #expect(throws: Stop.self) {
      let files = try AtomicFiles(beside: path)
      try files.write("a.bin", syncs: true) { file in
        try [2, 3].withUnsafeBytes(file.append)
        throw Stop()
      }
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1]))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.bin"])
  }

  @Test func skippedBytesAreZero() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("support-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = try AtomicFiles(beside: folder.appendingPathComponent("a").path)
    for name in ["a", "b"] {
      try files.write(name, syncs: false) { file in
        try [UInt8(7)].withUnsafeBytes(file.append)
        try file.skip(to: 3)
        try [UInt8(8)].withUnsafeBytes(file.append)
        #expect(file.count == 4)
      }
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    try files.publish(["b", "a"])
    for name in ["a", "b"] { #expect(try Data(contentsOf: folder.appendingPathComponent(name)) == Data([7, 0, 0, 8])) }
  }

  /// Only missing and regular files are replaced.
  @Test func specialFilesAreKept() throws {
    let scratch = try Fixtures.Scratch()
    try #require(mkfifo(scratch.path("pipe"), 0o600) == 0)
    try FileManager.default.createDirectory(atPath: scratch.path("folder"), withIntermediateDirectories: true)
    for (link, target) in [("device", "/dev/null"), ("topipe", "pipe"), ("nowhere", "nothing"), ("loop", "loop")] {
      try FileManager.default.createSymbolicLink(atPath: scratch.path(link), withDestinationPath: target)
    }
    let before = try FileManager.default.contentsOfDirectory(atPath: scratch.path(".")).sorted()
    for name in ["pipe", "folder", "device", "topipe", "nowhere", "loop"] {
      let error = #expect(throws: SimpleError.self) { try AtomicFiles.write(Data([1]), to: scratch.path(name)) }
      #expect(error?.category == .cannotWrite && error?.description.contains("it is a") == true)
    }
    for path in ["/dev/stdout", "/dev/new", "/proc/self/fd/1"] {
      let error = #expect(throws: SimpleError.self) { try AtomicFiles.write(Data([1]), to: path) }
      #expect(error?.description.contains("contains no regular files") == true)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path(".")).sorted() == before)
  }

  /// The next write of a file removes what a killed process left, and keeps the files of a running process.
  @Test func abandonedFilesAreRemoved() throws {
    let scratch = try Fixtures.Scratch()
    let path = scratch.path("a")
    var abandoned = ""
    do {
      let files = try AtomicFiles(beside: path)
      try files.write("a", syncs: false) { file in try [UInt8(7)].withUnsafeBytes(file.append) }
      abandoned = (files.path(of: "a") as NSString).deletingLastPathComponent
      #expect(abandoned.contains("/.relevancekit-"))
      try AtomicFiles.write(Data([1]), to: path)
      try AtomicFiles.write(Data([2]), to: path)
      #expect(FileManager.default.fileExists(atPath: files.path(of: "a")))
    }
    #expect(!FileManager.default.fileExists(atPath: abandoned))
    try FileManager.default.createDirectory(atPath: abandoned, withIntermediateDirectories: true)
    try Data([9]).write(to: URL(fileURLWithPath: abandoned + "/a"))
    try AtomicFiles.write(Data([3]), to: path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path(".")) == ["a"])
    try Data([9]).write(to: URL(fileURLWithPath: abandoned))
    _ = try AtomicFiles(beside: path)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path(".")) == ["a"])
    #expect(try ReadableFile.data(path) == Data([3]))
  }

  /// With many writers of one file, its content is always that of one of them, and no other file is left.
  @Test func manyWriters() async throws {
    let scratch = try Fixtures.Scratch()
    let path = scratch.path(String(repeating: "n", count: 255))
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<80 {
        group.addTask {
          let bytes = Data(repeating: UInt8(writer), count: 10_000)
          if writer % 4 == 0 {
            let files = try AtomicFiles(beside: path)
            let name = PathText.parts(of: path).name
            try files.write(name, syncs: false) { file in try bytes.withUnsafeBytes(file.append) }
            try files.publish([name])
          } else {
            try AtomicFiles.write(bytes, to: path)
          }
          #expect(Set(try ReadableFile.data(path)).count == 1)
        }
      }
      try await group.waitForAll()
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path(".")).count == 1)
  }
}
