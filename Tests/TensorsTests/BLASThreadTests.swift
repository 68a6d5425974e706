import CRelevanceOpenBLAS
import Dispatch
import Synchronization
import RelevanceTensors
import Testing

#if compiler(>=6.2)
  /// The number of BLAS threads within the package's calls and after them.
  ///
  /// The number is a property of the process, and other tests compute at the same time. Therefore these tests use their
  /// own process.
  @Suite struct BLASThreadTests {
    struct Wrong: Error, CustomStringConvertible {
      let description: String
    }

    static func expect(_ count: Int32, line: Int = #line) throws {
      let found = openblas_get_num_threads()
      if found != count { throw Wrong(description: "line \(line): expected \(count) threads, found \(found)") }
    }

    /// It is one within the scope and the original number after it, also if scopes are nested or fail.
    @Test func threadCountIsRestored() async {
      await #expect(processExitsWith: .success) {
        for count in [1, 2, 3] as [Int32] {
          openblas_set_num_threads(count)
          // It is smaller on a machine with fewer threads.
          let set = openblas_get_num_threads()
          try BLAS.withOneThreadPerCall {
            try Self.expect(1)
            try BLAS.withOneThreadPerCall { try Self.expect(1) }
            try Self.expect(1)
          }
          try Self.expect(set)
          try? BLAS.withOneThreadPerCall { throw Wrong(description: "on purpose") }
          try Self.expect(set)
        }
      }
    }

    /// If scopes overlap on several threads, the last one to end restores the number.
    @Test func overlappingScopesRestoreTheCount() async {
      await #expect(processExitsWith: .success) {
        openblas_set_num_threads(2)
        let set = openblas_get_num_threads()
        let wrong = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
          for _ in 0..<200 {
            BLAS.withOneThreadPerCall {
              if openblas_get_num_threads() != 1 { wrong.wrappingAdd(1, ordering: .relaxed) }
            }
          }
        }
        if wrong.load(ordering: .relaxed) > 0 { throw Wrong(description: "several threads within a scope") }
        try Self.expect(set)
      }
    }
  }
#endif
