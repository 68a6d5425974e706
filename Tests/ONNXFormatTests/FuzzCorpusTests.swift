import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Files with which fuzzing reached different code (Tools/fuzz): every file gives a model or an error, and never a
/// crash.
@Suite struct FuzzCorpusTests {
  @Test func everyFileIsAModelOrAnError() throws {
    let folder = Fixtures.path("fuzz/onnx")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(names.count >= 50)
    var errors = 0
    for name in names {
      do { _ = try NeuralNetwork(contentsOf: folder + "/" + name) } catch let error as any RelevanceKitError {
        #expect(!error.description.contains("\n") && error.description.hasPrefix(folder), "\(name)")
        #expect(error.category == .badData, "\(name)")
        errors += 1
      }
    }
    #expect(errors > 0)
  }
}
