import RelevanceTensors
import RelevanceTestSupport
import RelevanceSupport
import Testing

/// Matrix products, compared with loops in double precision, and eigenvectors.
@Suite struct LinearAlgebraTests {
  struct Product: Sendable, CustomTestStringConvertible {
    let m: Int
    let n: Int
    let k: Int
    let transposeA: Bool
    let transposeB: Bool
    let beta: Float

    var testDescription: String { "\(m)×\(k) by \(k)×\(n), transposed \(transposeA) \(transposeB), β \(beta)" }

    /// Small products, and products that are computed in tiles.
    static let all: [Product] = [
      (1, 1, 1), (3, 5, 4), (7, 1, 9), (1, 8, 3), (16, 33, 20), (65, 130, 300), (200, 250, 70),
    ]
    .flatMap { m, n, k in
      [false, true].flatMap { transposeA in
        [false, true].flatMap { transposeB in
          [0, 1, -0.5].map {
            Product(m: m, n: n, k: k, transposeA: transposeA, transposeB: transposeB, beta: $0)
          }
        }
      }
    }
  }

  /// C ← α·op(A)·op(B) + β·C, between rows of larger matrices that must not change.
  @Test(arguments: Product.all) func matrixProducts(one: Product) {
    let (rowsA, columnsA) = one.transposeA ? (one.k, one.m) : (one.m, one.k)
    let (rowsB, columnsB) = one.transposeB ? (one.n, one.k) : (one.k, one.n)
    let (lda, ldb, ldc) = (columnsA + 3, columnsB + 1, one.n + 2)
    let a = Seeded.tensor([rowsA, lda], seed: 1)
    let b = Seeded.tensor([rowsB, ldb], seed: 2)
    let c = Seeded.tensor([one.m, ldc], seed: 3)
    var found = c
    // Without β, the previous values must not matter.
    if one.beta == 0 { for i in 0..<one.m { for j in 0..<one.n { found[i, j] = .nan } } }
    let alpha: Float = 1.5
    found.withUnsafeMutableElements { c in
      a.withUnsafeElements { a in
        b.withUnsafeElements { b in
          BLAS.withOneThreadPerCall {
            BLAS.gemm(
              transposeA: one.transposeA, transposeB: one.transposeB, m: one.m, n: one.n, k: one.k, alpha: alpha,
              a: a.baseAddress!, lda: lda, b: b.baseAddress!, ldb: ldb, beta: one.beta, c: c.baseAddress!, ldc: ldc)
          }
        }
      }
    }
    let (x, y) = (a.doubles, b.doubles)
    var expected = c.doubles
    for i in 0..<one.m {
      for j in 0..<one.n {
        var sum = 0.0
        for p in 0..<one.k {
          sum += x[one.transposeA ? p * lda + i : i * lda + p] * y[one.transposeB ? j * ldb + p : p * ldb + j]
        }
        expected[i * ldc + j] = Double(alpha) * sum + Double(one.beta) * expected[i * ldc + j]
      }
    }
    #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision)
    for i in 0..<one.m { for j in one.n..<ldc { #expect(found[i, j] == c[i, j]) } }
  }

  @Test(arguments: [(1, 1), (5, 3), (33, 100), (64, 1000)], [0, 1, -0.5] as [Float])
  func matrixTimesVector(extents: (m: Int, n: Int), beta: Float) {
    let (m, n) = extents
    let a = Seeded.tensor([m, n + 2], seed: 1)
    let x = Seeded.tensor([n], seed: 2)
    let y = Seeded.tensor([m], seed: 3)
    var found = beta == 0 ? Tensor(shape: [m], repeating: .nan) : y
    found.withUnsafeMutableElements { y in
      a.withUnsafeElements { a in
        x.withUnsafeElements { x in
          BLAS.gemv(
            m: m, n: n, alpha: 2, a: a.baseAddress!, lda: n + 2, x: x.baseAddress!, beta: beta, y: y.baseAddress!)
        }
      }
    }
    let (weights, input) = (a.doubles, x.doubles)
    let expected = (0..<m).map { i in
      2 * (0..<n).reduce(0) { $0 + weights[i * (n + 2) + $1] * input[$1] } + Double(beta) * Double(y[i])
    }
    #expect(found.largestDifference(from: expected) <= Tolerance.singlePrecision)
  }

  @Test func emptyProducts() {
    var c: Float = 7
    withUnsafeMutablePointer(to: &c) {
      BLAS.gemm(m: 0, n: 1, k: 1, a: $0, lda: 1, b: $0, ldb: 1, c: $0, ldc: 1)
      BLAS.gemm(m: 1, n: 0, k: 1, a: $0, lda: 1, b: $0, ldb: 1, c: $0, ldc: 1)
      BLAS.gemv(m: 0, n: 1, a: $0, lda: 1, x: $0, y: $0)
    }
    #expect(c == 7)
  }

  /// The eigenvectors of a symmetric matrix: A·v = λ·v, orthonormal, ascending.
  @Test(arguments: [1, 2, 5, 20, 61]) func eigenvectors(n: Int) throws {
    var a = Seeded.tensor([n, n], seed: 4)
    for i in 0..<n { for j in 0..<i { a[i, j] = a[j, i] } }
    let decomposition = try SymmetricEigendecomposition(of: a)
    let (values, vectors) = (decomposition.values, decomposition.vectors)
    #expect(values == values.sorted() && values.count == n && vectors.shape == [n, n])
    let (matrix, rows) = (a.doubles, vectors.doubles)
    func row(_ k: Int) -> ArraySlice<Double> { rows[k * n..<(k + 1) * n] }
    func dot(_ x: ArraySlice<Double>, _ y: ArraySlice<Double>) -> Double { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
    let scale = Double(n) * Tolerance.singlePrecision
    for k in 0..<n {
      for i in 0..<n {
        let product = dot(matrix[i * n..<(i + 1) * n], row(k))
        #expect(abs(product - Double(values[k]) * rows[k * n + i]) <= scale)
        #expect(abs(dot(row(k), row(i)) - (i == k ? 1 : 0)) <= scale)
      }
    }
  }

  @Test func onlyTheUpperTriangleIsRead() throws {
    let full = Tensor(shape: [2, 2], elements: [2, 1, 1, 2])
    let upper = Tensor(shape: [2, 2], elements: [2, 1, -99, 2])
    #expect(try SymmetricEigendecomposition(of: upper).values == SymmetricEigendecomposition(of: full).values)
    #expect(upper.elements == [2, 1, -99, 2])
  }

  @Test func nanDoesNotConverge() {
    let error = #expect(throws: SimpleError.self) {
      try SymmetricEigendecomposition(of: Tensor(shape: [3, 3], repeating: .nan))
    }
    #expect(error?.category == .badData)
    #expect(error?.description.hasPrefix("the eigenvalues of the matrix did not converge (LAPACK status ") == true)
    #expect(error?.description.hasSuffix("); check the matrix for NaN") == true)
  }
}
