import Foundation
import Support
import Testing

@Suite("Files that appear when they are complete")
struct AtomicFilesTests {
  @Test func nothingIsLeftOfAFileThatCannotBeFinished() throws {
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

  @Test func whatIsSkippedIsZeros() throws {
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
}
