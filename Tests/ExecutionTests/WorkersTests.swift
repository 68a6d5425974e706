import Dispatch
import RelevanceKit
import Synchronization
import RelevanceTestSupport
import Testing

/// Threads that share tasks: each task runs once, for any caller and thread.
@Suite struct WorkersTests {
  @Test(arguments: [1, 2, 3, 8]) func eachTaskIsDoneOnce(threads: Int) {
    let workers = Workers(count: threads, pool: MemoryPool())
    // Short and long pauses, so that helpers are both awake and asleep.
    for round in 0..<300 {
      let tasks = round % 37
      let counts = Counts(tasks)
      workers.run(tasks) { counts.add(1, at: $0) }
      #expect(counts.values.allSatisfy { $0 == 1 })
      if round % 50 == 0 { Self.pause(milliseconds: 3) }
    }
  }

  @Test func concurrentCallersAreIndependent() {
    let workers = Workers(count: 3, pool: MemoryPool())
    let failures = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 6) { caller in
      for round in 0..<200 {
        let tasks = 1 + (caller * 7 + round) % 23
        let counts = Counts(tasks)
        workers.run(tasks, scratch: 64) { task, scratch in
          // Detects any other thread that writes here at the same time.
          for i in 0..<64 { scratch[i] = Float(caller * 100 + task) }
          if (0..<64).allSatisfy({ scratch[$0] == Float(caller * 100 + task) }) { counts.add(1, at: task) }
        }
        if !counts.values.allSatisfy({ $0 == 1 }) { failures.wrappingAdd(1, ordering: .relaxed) }
      }
    }
    #expect(failures.load(ordering: .relaxed) == 0)
  }

  @Test func tasksCanRunTasks() {
    let workers = Workers(count: 2, pool: MemoryPool())
    for _ in 0..<100 {
      let counts = Counts(40)
      workers.run(4) { outer in workers.run(10) { counts.add(1, at: outer * 10 + $0) } }
      #expect(counts.values.allSatisfy { $0 == 1 })
    }
  }

  @Test func threadsEndWithTheirOwner() {
    for _ in 0..<200 {
      let counts = Counts(8)
      Workers(count: 3, pool: MemoryPool()).run(8) { counts.add(1, at: $0) }
      #expect(counts.values.allSatisfy { $0 == 1 })
    }
  }

  /// Identical bits for any number of threads and in repeated runs: tasks write to different elements.
  @Test(arguments: ConvolutionCase.sizes.filter { $0.algorithm != .im2col })
  func bitsDoNotDependOnThreads(of one: ConvolutionCase) throws {
    var builder = GraphBuilder(item: [one.inputs] + one.extents)
    builder.add("conv", try one.operation)
    let network = try builder.network()
    let x = Seeded.tensor(one.input, seed: 1)
    func outputs(_ threads: Int) throws -> [[UInt32]] {
      let executor = Executor(network, threads: threads, convolution: one.algorithm)
      return try (0..<4).map { _ in try executor.logits(x).bits }
    }
    let expected = try outputs(1)
    #expect(Set(expected).count == 1)
    for threads in [2, 5] { #expect(try outputs(threads) == expected) }
  }

  private static func pause(milliseconds: Int) {
    let done = DispatchSemaphore(value: 0)
    _ = done.wait(timeout: .now() + .milliseconds(milliseconds))
  }

  private final class Counts: Sendable {
    private let counts: Mutex<[Int]>
    init(_ count: Int) { counts = Mutex([Int](repeating: 0, count: count)) }
    func add(_ value: Int, at index: Int) { counts.withLock { $0[index] += value } }
    var values: [Int] { counts.withLock { $0 } }
  }
}
