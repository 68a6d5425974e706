import Foundation
import RelevanceKit

/// A network from a folder of `Fixtures` with weights from the same generator as `Tools/reference/seeded.py`.
package enum SeededNetwork {
  struct Manifest: Decodable {
    struct Entry: Decodable {
      let name: String
      let offset: Int
      let count: Int
      let low: Double
      let high: Double
      let seed: UInt64
      let power: Int?
    }
    let file: String
    let bytes: Int
    let tensors: [Entry]
  }

  /// Reads a network: copies its graph, generates the weights beside the copy, loads the network, and removes the copy.
  package static func load(_ name: String, in folder: String = "networks") throws -> NeuralNetwork {
    let scratch = try Fixtures.Scratch()
    try write(name, in: folder, to: scratch)
    return try NeuralNetwork(contentsOf: scratch.path("model.onnx"))
  }

  /// Writes `model.onnx` and its weights into a folder.
  package static func write(_ name: String, in folder: String = "networks", to scratch: Fixtures.Scratch) throws {
    let manifest = try JSONDecoder().decode(Manifest.self, from: Fixtures.data("\(folder)/\(name)/weights.json"))
    try Fixtures.data("\(folder)/\(name)/model.onnx").write(to: URL(fileURLWithPath: scratch.path("model.onnx")))
    // Written into the mapped file, because the largest network would otherwise need twice its size.
    let file = scratch.path(manifest.file)
    guard FileManager.default.createFile(atPath: file, contents: nil), truncate(file, off_t(manifest.bytes)) == 0 else {
      throw CocoaError(.fileWriteUnknown)
    }
    let descriptor = open(file, O_RDWR)
    defer { close(descriptor) }
    guard let memory = mmap(nil, manifest.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0),
      memory != MAP_FAILED
    else { throw CocoaError(.fileWriteUnknown) }
    defer { munmap(memory, manifest.bytes) }
    for tensor in manifest.tensors {
      let target = (memory + tensor.offset).assumingMemoryBound(to: Float.self)
      for i in 0..<tensor.count {
        target[i] = Seeded.value(tensor.seed, i, low: tensor.low, high: tensor.high, power: tensor.power ?? 1)
      }
    }
  }
}

/// Reproducible numbers: a hash of seed and position, as in `Tools/reference/seeded.py`.
package enum Seeded {
  /// A number in [0, 1).
  package static func uniform(_ seed: UInt64, _ index: Int) -> Double {
    var z = (seed << 32 &+ UInt64(index)) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    z ^= z >> 31
    return Double(z >> 40) * 0x1p-24
  }

  /// A number in [low, high]. With an odd power above 1, most numbers are near the middle.
  package static func value(_ seed: UInt64, _ index: Int, low: Double, high: Double, power: Int = 1) -> Float {
    let u = uniform(seed, index)
    if power == 1 { return Float(low + (high - low) * u) }
    let side = 2 * u - 1
    var tail = side
    for _ in 1..<power { tail *= side }
    return Float((low + high) / 2 + (high - low) / 2 * tail)
  }

  /// A tensor of numbers in [low, high).
  package static func tensor(_ shape: TensorShape, seed: UInt64, low: Double = -1, high: Double = 1) -> Tensor {
    Tensor(shape: shape, elements: (0..<shape.count).map { value(seed, $0, low: low, high: high) })
  }
}
