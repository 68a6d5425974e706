import CKernels
import Foundation
import Synchronization

/// Threads that help the one that calls, kept between calls.
///
/// The layers of a small network take some microseconds each, less than it takes to wake a thread that sleeps. So helpers stay
/// awake for a moment after each piece of work and look for the next; then they sleep and cost nothing.
final class WorkerThreads: Sendable {
  let helpers: Int
  private let shared = SharedState()
  private let areStarted = Mutex(false)

  init(helpers: Int) { self.helpers = helpers }

  deinit { shared.stop() }

  /// Calls `body` with 0 on this thread and with 1 … `threads` − 1 on helpers, which may come too late to be called; returns
  /// when all calls have. If the helpers work for someone else, only this thread does anything.
  func run(threads: Int, _ body: @Sendable (Int) -> Void) {
    guard threads > 1, helpers > 0, shared.claim() else { return body(0) }
    areStarted.withLock { areStarted in
      if !areStarted { for index in 1...helpers { shared.startHelper(index) } }
      areStarted = true
    }
    withoutActuallyEscaping(body) { body in
      shared.open(threads: threads, body)
      body(0)
      shared.close()
    }
  }
}

/// What the threads share: whether there is work, and who is at it.
private final class SharedState: Sendable {
  private typealias Body = @Sendable (Int) -> Void

  /// Written only while the gate is shut and nobody is inside, read only inside.
  private nonisolated(unsafe) var work: (threads: Int, body: Body)?
  /// Whether some caller has the helpers.
  private let isClaimed = Atomic(false)
  /// How many helpers are inside, and `open` if more may enter.
  private let gate = Atomic(0)
  /// Grows with each piece of work.
  private let number = Atomic(0)
  private let sleepers = Atomic(0)
  private let isStopping = Atomic(false)
  private let alarm = NSCondition()

  private static let isOpen = 1 << 32
  /// Looks for work before a thread goes to sleep: some hundred microseconds.
  private static let patience = 10_000

  func claim() -> Bool { isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged }

  func open(threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
    work = (threads, body)
    number.wrappingAdd(1, ordering: .relaxed)
    gate.store(Self.isOpen, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 { wakeAll() }
  }

  func close() {
    gate.wrappingSubtract(Self.isOpen, ordering: .acquiringAndReleasing)
    var looks = 0
    while gate.load(ordering: .acquiring) != 0 { Self.pause(&looks) }
    work = nil
    isClaimed.store(false, ordering: .releasing)
  }

  func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    wakeAll()
  }

  func startHelper(_ index: Int) {
    let thread = Thread { [self] in help(as: index) }
    thread.name = "RelevanceKit worker \(index)"
    thread.start()
  }

  private func help(as index: Int) {
    var done = 0
    var looks = 0
    while !isStopping.load(ordering: .relaxed) {
      let state = gate.load(ordering: .acquiring)
      // Read after the gate: it may be of later work than the gate's, which is then entered anyway or looked at again.
      let next = number.load(ordering: .relaxed)
      if state & Self.isOpen != 0, next != done {
        guard gate.compareExchange(expected: state, desired: state + 1, ordering: .acquiringAndReleasing).exchanged
        else { continue }
        done = number.load(ordering: .relaxed)
        if let work, index < work.threads { work.body(index) }
        gate.wrappingSubtract(1, ordering: .releasing)
        looks = 0
      } else if looks < Self.patience {
        Self.pause(&looks)
      } else {
        sleep(after: done)
        looks = 0
      }
    }
  }

  /// Sleeps until there is work after piece `done`.
  private func sleep(after done: Int) {
    alarm.lock()
    sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
    while !isStopping.load(ordering: .relaxed),
      gate.load(ordering: .sequentiallyConsistent) & Self.isOpen == 0 || number.load(ordering: .relaxed) == done
    {
      alarm.wait()
    }
    sleepers.wrappingSubtract(1, ordering: .relaxed)
    alarm.unlock()
  }

  private func wakeAll() {
    alarm.lock()
    alarm.broadcast()
    alarm.unlock()
  }

  /// Waits a moment; now and then lets other threads have the processor.
  private static func pause(_ looks: inout Int) {
    looks += 1
    if looks % 256 == 0 { sched_yield() } else { rk_pause() }
  }
}
