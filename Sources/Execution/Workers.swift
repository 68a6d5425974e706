import Foundation
import Synchronization
import RelevanceTensors

/// A fixed number of threads that share the tiles of an operation.
///
/// The result of a task does not depend on the thread that runs it or on the number of threads, so results are
/// identical to the bit for any number of threads.
package struct Workers: Sendable {
  package let count: Int
  package let pool: MemoryPool
  package let instructionSet: InstructionSet
  /// The number of products so far.
  package let products = ProductCount()
  private let threads: WorkerThreads

  /// More threads than this do not make any network faster, and each costs memory.
  static let most = max(4 * ProcessInfo.processInfo.activeProcessorCount, 16)

  package init(count: Int, pool: MemoryPool, instructionSet: InstructionSet = .preferred) {
    let count = min(max(count, 1), Self.most)
    (self.count, self.pool, self.instructionSet) = (count, pool, instructionSet)
    threads = WorkerThreads(helpers: count - 1)
  }

  /// Calls `body` once for each task in `0 ..< tasks`, on all threads; returns when all are done.
  package func run(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
    run(tasks, scratch: 0) { task, _ in body(task) }
  }

  /// Calls `body` once for each task, with `scratch` floats to write to. The tasks of a thread use the same scratch
  /// memory one after the other.
  package func run(_ tasks: Int, scratch: Int, _ body: @Sendable (Int, MutableFloats) -> Void) {
    guard tasks > 0 else { return }
    let threads = min(count, tasks)
    // A cache line apart, so that two threads never write to the same one.
    let stride = (scratch + 15) / 16 * 16
    let memory = scratch > 0 ? pool.storage(count: threads * stride) : Self.nothing
    if threads == 1 {
      return instructionSet.use {
        for task in 0..<tasks { body(task, memory.base) }
      }
    }
    // Many small tasks are taken in chunks.
    let chunk = max(tasks / (16 * threads), 1)
    let next = Atomic<Int>(0)
    self.threads.run(threads: threads) { thread in
      let own = memory.base + thread * stride
      instructionSet.use {
        while true {
          let first = next.wrappingAdd(chunk, ordering: .relaxed).oldValue
          guard first < tasks else { return }
          for task in first..<min(first + chunk, tasks) { body(task, own) }
        }
      }
    }
  }

  /// Calls `body` on this thread for a series of operations, with the kernels of the workers' instruction set, and with
  /// OpenBLAS computing each call on the calling thread only.
  package func compute<Result>(_ body: () throws -> Result) rethrows -> Result {
    try BLAS.withOneThreadPerCall { try instructionSet.use(body) }
  }

  /// Splits `count` elements into runs that are long enough for a task, and calls `body` with each.
  package func runSplit(_ count: Int, grain: Int = 1 << 15, _ body: @Sendable (Range<Int>) -> Void) {
    let tasks = (count + grain - 1) / grain
    run(tasks) { task in body(task * grain..<min((task + 1) * grain, count)) }
  }

  private static let nothing = TensorStorage(count: 0)
}

/// A pointer that may be passed to other threads; its creator ensures that tasks write to different elements.
package struct Shared<Pointer>: @unchecked Sendable {
  package let pointer: Pointer
  package init(_ pointer: Pointer) { self.pointer = pointer }
}
