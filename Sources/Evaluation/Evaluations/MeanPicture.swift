import Foundation
import Imaging
import Tensors

/// The mean of a data set's pictures as the network sees them: what patches are replaced by. *Gu18* §5.2.
public struct MeanPicture: Sendable {
  /// 1 × channels × height × width.
  public let tensor: Tensor
  /// Pictures that it is the mean of.
  public let count: Int

  /// Averages the pictures that can be read, in the data set's order, in double precision. `progress` is called with the number of
  /// pictures read.
  ///
  /// - Throws: `EvaluationError.nothingToEvaluate` if no picture can be read, `EvaluationError.doesNotFit` if one has another size
  ///   than those before it, as happens without a crop.
  public init(of data: DataSet, _ preprocessing: Preprocessing, progress: (Int) -> Void = { _ in }) throws {
    var sum: [Double] = []
    var shape: Shape?
    var count = 0
    for (number, image) in data.images.enumerated() {
      progress(number)
      guard let picture = try? Image(contentsOf: image.path) else { continue }
      let tensor = try preprocessing.tensor(from: picture)
      if let shape, shape != tensor.shape {
        throw EvaluationError.doesNotFit(
          image.path, reason: "a mean needs pictures of one size: expected \(shape), found \(tensor.shape)")
      }
      if sum.isEmpty { sum = [Double](repeating: 0, count: tensor.count) }
      shape = tensor.shape
      tensor.withUnsafeElements { x in for i in x.indices { sum[i] += Double(x[i]) } }
      count += 1
    }
    guard let shape else { throw EvaluationError.nothingToEvaluate(needs: "pixels that can be read") }
    self.count = count
    tensor = Tensor(shape: shape, elements: sum.map { Float($0 / Double(count)) })
  }
}
