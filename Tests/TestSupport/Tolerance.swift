import RelevanceKit

/// The allowed differences of results from their references. Each is defined only here.
package enum Tolerance {
  /// For one operator in single precision, compared with double precision or ONNX Runtime: the largest difference,
  /// relative to the largest value.
  package static let singlePrecision = 1e-5
  /// For a network's logits, compared with ONNX Runtime's: the largest difference, relative to the largest value.
  package static let logits = 1e-4
  /// For a whole map, compared with the oracle's: relative L2 distance.
  package static let map = 1e-3
  /// For the sum of relevance, compared with the score, relative to the score.
  package static let conservation = 1e-3
  /// For two ways of computing the same map in single precision: relative L2 distance.
  package static let sameMap = 1e-5
}

extension Tensor {
  /// The largest difference from a reference in double precision, relative to the largest magnitude in the reference.
  /// It is infinite if one of the values is NaN.
  package func largestDifference(from reference: [Double]) -> Double {
    precondition(count == reference.count, "\(shape) cannot be compared with \(reference.count) elements")
    let largest = reference.reduce(0) { max($0, abs($1)) }
    let difference = withUnsafeElements { found in
      found.indices.reduce(0.0) { worst, i in
        let difference = abs(Double(found[i]) - reference[i])
        return difference.isNaN ? .infinity : max(worst, difference)
      }
    }
    return largest > 0 ? difference / largest : difference
  }

  /// The largest difference from a reference, relative to the largest magnitude in the reference.
  package func largestDifference(from reference: Tensor) -> Double {
    precondition(shape == reference.shape, "\(shape) and \(reference.shape) cannot be compared")
    return largestDifference(from: reference.doubles)
  }

  /// The elements in double precision.
  package var doubles: [Double] { elements.map(Double.init) }

  /// The bit patterns of the elements.
  package var bits: [UInt32] { elements.map(\.bitPattern) }
}
