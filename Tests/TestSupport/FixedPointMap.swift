import Foundation
import RelevanceKit

/// A map in fixed point: an `.npz` file as `save_map` of `Tools/reference/storage.py` writes it.
enum FixedPointMap {
  /// The map, [C, H, W]. `planes` [P, H, C, W] are the bytes of whole numbers, the least significant first: 2n for n ≥ 0, -2n - 1 for n < 0.
  static func decode(_ archive: Data, name: String) throws -> Tensor {
    func array(_ member: String) throws -> Tensor {
      try NumPyFile.decode(ZipArchive.member(member, of: archive, archive: name), name: "\(name): \(member)")
    }
    let (planes, steps) = (try array("planes.npy"), try array("step.npy"))
    guard planes.shape.rank == 4, planes.shape[0] <= 3, steps.count == 1 else {
      throw ZipArchive.Failure(
        description: "\(name): planes of shape \(planes.shape); expected P×H×C×W with P ≤ 3, and one step")
    }
    let step = steps.elements[0]
    let (height, channels, width) = (planes.shape[1], planes.shape[2], planes.shape[3])
    let count = height * channels * width
    return Tensor(uninitialized: [channels, height, width]) { values in
      planes.withUnsafeElements { bytes in
        for i in 0..<count {
          let number = (0..<planes.shape[0]).reduce(0) { $0 | Int(bytes[$1 * count + i]) << (8 * $1) }
          let (row, channel, column) = (i / (channels * width), i / width % channels, i % width)
          values[(channel * height + row) * width + column] = Float(number >> 1 ^ -(number & 1)) * step
        }
      }
    }
  }
}
