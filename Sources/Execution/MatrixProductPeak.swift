import RelevanceTensors

/// How fast this machine multiplies large matrices on all threads: what layers are measured by.
package struct MatrixProductPeak: Sendable {
  package static let side = 1024
  private let workers: Workers
  /// For each thread two operands and a result.
  private let matrices: TensorStorage

  package init(of executor: Executor) {
    workers = executor.workers
    matrices = TensorStorage(count: workers.count * 3 * Self.side * Self.side)
    for i in 0..<matrices.count { matrices.base[i] = Float(i % 7) - 3 }
  }

  /// Multiplies two matrices on every thread at once, each by one call that keeps to its thread.
  ///
  /// - Returns: floating point operations per second.
  package func measure() -> Double {
    let side = Self.side
    let shared = Shared(matrices.base)
    let clock = ContinuousClock()
    let time = workers.compute {
      clock.measure {
        workers.run(workers.count) { task in
          let a = shared.pointer + task * 3 * side * side
          // C ← A·B
          BLAS.gemm(
            m: side, n: side, k: side, a: a, lda: side, b: a + side * side, ldb: side, c: a + 2 * side * side,
            ldc: side, inOneCall: true)
        }
      }
    }
    return 2 * Double(side * side * side * workers.count) / (time / .seconds(1))
  }
}
