import Dispatch
import RelevanceKit
import Synchronization
import RelevanceTestSupport
import Testing

/// Memory returns to the pool when its last user releases it, and not earlier.
@Suite struct MemoryPoolTests {
  @Test func memoryIsReused() {
    let pool = MemoryPool()
    let first = Self.address(in: pool, 5000)
    #expect(Self.address(in: pool, 5000) == first)
    #expect(Self.address(in: pool, 4000) == first)
  }

  @Test func memoryInUseIsNotReused() {
    let pool = MemoryPool()
    let held = pool.tensor([5000])
    let view = held.reshaped(to: [50, 100])
    let address = view.withUnsafeElements { UInt(bitPattern: $0.baseAddress!) }
    #expect(Self.address(in: pool, 5000) != address)
    withExtendedLifetime(view) {}
  }

  @Test func largeMemoryIsKeptForLargeRequests() {
    let pool = MemoryPool()
    let large = Self.address(in: pool, 1 << 20)
    #expect(Self.address(in: pool, 1 << 10) != large)
    #expect(Self.address(in: pool, 1 << 19) == large)
  }

  @Test func trimmingFreesOnlyIdleMemory() {
    let pool = MemoryPool()
    var held = pool.tensor([3 << 20])
    held.withUnsafeMutableElements { $0.update(repeating: 7) }
    _ = Self.address(in: pool, 5000)
    pool.trim()
    #expect(held.elements.allSatisfy { $0 == 7 })
  }

  @Test func memoryIsAligned() {
    let pool = MemoryPool()
    for count in [0, 1, 100, 5000, 1 << 20, (2 << 20) + 1] { #expect(Self.address(in: pool, count) % 64 == 0) }
  }

  /// A second run reuses the memory of the first after its trace is released.
  @Test func runsShareMemory() throws {
    var builder = GraphBuilder(item: [3, 40, 40])
    let id = builder.add("conv", try .seededConvolution(inputs: 3, outputs: 8, kernel: [3, 3], seed: 1))
    let executor = Executor(try builder.network(), threads: 2)
    let x = Seeded.tensor([1, 3, 40, 40], seed: 1)
    func address(_ trace: ForwardTrace) -> UInt {
      trace.value(of: id).withUnsafeElements { UInt(bitPattern: $0.baseAddress!) }
    }
    let first = address(try executor.trace(x))
    let held = try executor.trace(x)
    #expect(address(held) == first)
    let other = try executor.trace(x)
    #expect(address(other) != first)
    #expect(held.value(of: id) == other.value(of: id))
  }

  /// Many threads allocate, fill and release memory: no thread finds another's numbers.
  @Test func threadsDoNotShareMemory() {
    let pool = MemoryPool()
    let clashes = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { thread in
      for round in 0..<200 {
        var tensor = pool.tensor([1000 + 37 * (round % 5)])
        tensor.withUnsafeMutableElements { $0.update(repeating: Float(thread)) }
        if !tensor.elements.allSatisfy({ $0 == Float(thread) }) { clashes.wrappingAdd(1, ordering: .relaxed) }
      }
    }
    #expect(clashes.load(ordering: .relaxed) == 0)
  }

  private static func address(in pool: MemoryPool, _ count: Int) -> UInt {
    UInt(bitPattern: pool.storage(count: count).base)
  }
}
