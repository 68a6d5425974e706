import RelevanceTensors

/// The speed at which this machine multiplies large matrices on all threads, to which layers are compared.
package struct MatrixProductPeak: Sendable {
  package static let side = 1024
  private let workers: Workers
  /// Two operands and a result for each thread.
  private let matrices: TensorStorage

  package init(of executor: Executor) {
    workers = executor.workers
    matrices = TensorStorage(count: workers.count * 3 * Self.side * Self.side)
    for i in 0..<matrices.count { matrices.base[i] = Float(i % 7) - 3 }
  }

  /// Multiplies two matrices on every thread at once, each with one single-threaded call.
  ///
  /// - Returns: floating-point operations per second.
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
