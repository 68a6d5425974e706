import Foundation
import RelevanceKit
import RelevanceTestSupport
import Testing

/// Real models with changed, removed and inserted bytes: the command reads or rejects them, and never crashes.
@Suite struct MutationTests {
  static let models = ["light_inception_v1", "light_resnet50", "light_shufflenet", "light_squeezenet"]

  /// 2,000 mutations in total. Each has exit status 0 or 65, and one line on standard error if it is 65.
  @Test(arguments: models) func mutatedModels(model: String) throws {
    let bench = try Workbench()
    let zoo = try PackedCases("zoo")
    let original = zoo.model(of: try #require(zoo.cases.first { $0.name == model }))
    var generator = SeededGenerator(state: UInt64(model.utf8.count))
    var refused = 0
    for round in 0..<500 {
      var bytes = original
      for _ in 0...Int.random(in: 0..<3, using: &generator) { Self.mutate(&bytes, using: &generator) }
      let name = "\(round % 8).onnx"
      try Data(bytes).write(to: URL(fileURLWithPath: bench.path(name)))
      let outcome = try bench.run("inspect", name)
      #expect([0, 65].contains(outcome.status), "round \(round): \(outcome.errors)")
      if outcome.status == 65 {
        refused += 1
        #expect(outcome.errorLines.count == 1 && outcome.output.isEmpty, "round \(round): \(outcome.errors)")
      }
    }
    #expect(refused > 50, "mutations must damage the model")
  }

  private static func mutate(_ bytes: inout [UInt8], using generator: inout SeededGenerator) {
    let place = Int.random(in: bytes.indices, using: &generator)
    let end = min(bytes.count, place + Int.random(in: 1...64, using: &generator))
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
    case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
    case 2: bytes[place] = 0xFF
    case 3: bytes.removeSubrange(place..<end)
    case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
    default: bytes.removeLast(bytes.count - place)
    }
    if bytes.isEmpty { bytes = [0] }
  }

  /// Reproducible random numbers (SplitMix64).
  private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}
