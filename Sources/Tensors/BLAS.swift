import CRelevanceOpenBLAS
import Synchronization

/// The only code that calls BLAS. All matrices are row-major.
package enum BLAS {
  /// C ← α·op(A)·op(B) + β·C, with op(A) m×k, op(B) k×n, C m×n; `lda`, `ldb`, `ldc` are the distances between rows.
  /// With `inOneCall`, OpenBLAS multiplies everything in one call.
  package static func gemm(
    transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int, alpha: Float = 1,
    a: UnsafePointer<Float>, lda: Int, b: UnsafePointer<Float>, ldb: Int, beta: Float = 0,
    c: UnsafeMutablePointer<Float>, ldc: Int, inOneCall: Bool = false
  ) {
    guard m > 0, n > 0 else { return }
    guard !inOneCall, multipliesSmallMatricesInPlace, !transposeB, m * n * k > smallProduct else {
      cblas_sgemm(
        CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
        blasint(m), blasint(n), blasint(k), alpha, a, blasint(lda), b, blasint(ldb), beta, c, blasint(ldc))
      return
    }
    // Tiles of equal size in each direction. The depth is the outermost loop, so that a tile of B stays in cache.
    let depth = piece(k, atMost: 144)
    // Whole vectors except in the last tile.
    let columns = (piece(n, atMost: 112) + 15) / 16 * 16
    let rows = max(smallProduct / (depth * columns) / 16 * 16, 16)
    for p in stride(from: 0, to: k, by: depth) {
      for j in stride(from: 0, to: n, by: columns) {
        for i in stride(from: 0, to: m, by: rows) {
          cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, CblasNoTrans, blasint(min(rows, m - i)),
            blasint(min(columns, n - j)), blasint(min(depth, k - p)), alpha,
            a + (transposeA ? p * lda + i : i * lda + p), blasint(lda), b + p * ldb + j, blasint(ldb),
            p == 0 ? beta : 1, c + i * ldc + j, blasint(ldc))
        }
      }
    }
  }

  /// On processors with AVX-512, OpenBLAS multiplies matrices of at most this m·n·k in place. It first copies larger
  /// ones into another order, which costs up to half the speed at the sizes of convolutions.
  private static let smallProduct = 1_000_000
  private static let multipliesSmallMatricesInPlace =
    ["SkylakeX", "Cooperlake", "SapphireRapids"].contains(coreName)

  /// The kind of processor that OpenBLAS selected its code for.
  package static let coreName = openblas_get_corename().map { String(cString: $0) } ?? "unknown"

  /// OpenBLAS's description of itself: its version and build options.
  package static let configuration = openblas_get_config().map { String(cString: $0) } ?? "unknown"

  private static func piece(_ count: Int, atMost limit: Int) -> Int {
    let pieces = (count + limit - 1) / limit
    return (count + pieces - 1) / max(pieces, 1)
  }

  /// y ← α·A·x + β·y, with A m×n and `lda` the distance between its rows.
  @inline(__always)
  package static func gemv(
    m: Int, n: Int, alpha: Float = 1, a: UnsafePointer<Float>, lda: Int, x: UnsafePointer<Float>,
    beta: Float = 0, y: UnsafeMutablePointer<Float>
  ) {
    guard m > 0 else { return }
    cblas_sgemv(CblasRowMajor, CblasNoTrans, blasint(m), blasint(n), alpha, a, blasint(lda), x, 1, beta, y, 1)
  }

  /// Runs `body` with OpenBLAS computing each call only on the calling thread, since the package distributes tiles over
  /// its own threads. The process's setting is restored when the last overlapping call ends.
  package static func withOneThreadPerCall<Result>(_ body: () throws -> Result) rethrows -> Result {
    scope.withLock { scope in
      if scope.depth == 0 {
        scope.restore = openblas_get_num_threads()
        if scope.restore != 1 { openblas_set_num_threads(1) }
      }
      scope.depth += 1
    }
    defer {
      scope.withLock { scope in
        scope.depth -= 1
        if scope.depth == 0, scope.restore != 1 { openblas_set_num_threads(scope.restore) }
      }
    }
    return try body()
  }

  private struct Scope {
    var depth = 0
    var restore: Int32 = 1
  }
  private static let scope = Mutex(Scope())
}
