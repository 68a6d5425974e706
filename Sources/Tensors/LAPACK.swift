import CRelevanceLAPACKE
import RelevanceSupport

/// The eigenvalues of a symmetric matrix in ascending order, and its eigenvectors.
package struct SymmetricEigendecomposition: Sendable {
  package let values: [Float]
  /// n×n; row `k` is the unit eigenvector of `values[k]`.
  package let vectors: Tensor

  /// Decomposes a symmetric n×n matrix, of which only the upper triangle is read. LAPACK `ssyevd`, O(n³).
  package init(of matrix: Tensor) throws {
    precondition(matrix.shape.rank == 2 && matrix.shape[0] == matrix.shape[1], "\(matrix.shape) is not square")
    let n = matrix.shape[0]
    var columns = matrix
    var values = [Float](repeating: 0, count: n)
    let status = columns.withUnsafeMutableElements { a in
      LAPACKE_ssyevd(LAPACK_ROW_MAJOR, Self.withVectors, Self.upperTriangle, Int32(n), a.baseAddress, Int32(n), &values)
    }
    guard status == 0 else {
      throw SimpleError(
        "the eigenvalues of the matrix did not converge (LAPACK status \(status)); check the matrix for NaN")
    }
    self.values = values
    self.vectors = columns.transposed([1, 0])
  }

  private static let withVectors = CChar(UInt8(ascii: "V"))
  private static let upperTriangle = CChar(UInt8(ascii: "U"))
}
