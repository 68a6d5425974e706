import CRelevanceKernels
import CRelevancePlatform
import Foundation
import Synchronization

/// Threads that help the calling thread, kept between calls.
///
/// A layer of a small network takes a few microseconds, less than waking a sleeping thread. Helpers therefore stay
/// awake for a moment after each piece of work and look for the next one; then they sleep and use no processor time.
final class WorkerThreads: Sendable {
  let helpers: Int
  private let shared: SharedState
  /// The number of helpers.
  private let started = Mutex(0)

  init(helpers: Int) {
    self.helpers = helpers
    shared = SharedState(threads: helpers + 1)
  }

  deinit { shared.stop() }

  /// Calls `body` with 0 on this thread and with 1 … `threads` − 1 on helpers, which may be too late to be called;
  /// returns when all calls have returned. If the helpers work for another caller, only this thread calls `body`.
  func run(threads: Int, _ body: @Sendable (Int) -> Void) {
    guard threads > 1, helpers > 0, shared.claim() else { return body(0) }
    started.withLock { started in
      while started < min(threads - 1, helpers) {
        started += 1
        // If the system has no more threads, the existing ones do all the work.
        guard shared.startHelper(started) else {
          started = helpers
          break
        }
      }
    }
    withoutActuallyEscaping(body) { body in
      shared.open(threads: threads, body)
      body(0)
      shared.close()
    }
  }
}

/// The state that the threads share: whether there is work, and which threads are doing it.
private final class SharedState: Sendable {
  private typealias Body = @Sendable (Int) -> Void

  /// Written only while the gate is closed and no helper is inside; read only inside.
  private nonisolated(unsafe) var work: (threads: Int, body: Body)?
  /// Whether a caller has claimed the helpers.
  private let isClaimed = Atomic(false)
  /// The number of helpers inside, and `open` if more may enter.
  private let gate = Atomic(0)
  /// Increases with each piece of work.
  private let number = Atomic(0)
  private let sleepers = Atomic(0)
  private let isStopping = Atomic(false)
  private let alarm = NSCondition()
  private let helpers = Mutex<[pthread_t]>([])

  private static let isOpen = 1 << 32
  /// How long a thread looks for work before it sleeps: about the cost of waking it, so that it takes at most as much
  /// time from others as it saves. It is zero if there are more threads than processors.
  private let patience: Duration
  private let isPatient: Bool

  init(threads: Int) {
    isPatient = threads <= ProcessInfo.processInfo.activeProcessorCount
    patience = .microseconds(isPatient ? 60 : 0)
  }

  func claim() -> Bool { isClaimed.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged }

  func open(threads: Int, _ body: @escaping @Sendable (Int) -> Void) {
    work = (threads, body)
    number.wrappingAdd(1, ordering: .relaxed)
    gate.store(Self.isOpen, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      // Systems tend to wake a thread on the processor of its waker, which here is busy for the duration of a run.
      helpers.withLock { $0.forEach { cplatform_keep_apart($0) } }
      wakeAll()
    }
  }

  func close() {
    gate.wrappingSubtract(Self.isOpen, ordering: .acquiringAndReleasing)
    var looks = 0
    while gate.load(ordering: .acquiring) != 0 { pause(&looks) }
    work = nil
    isClaimed.store(false, ordering: .releasing)
  }

  func stop() {
    isStopping.store(true, ordering: .sequentiallyConsistent)
    wakeAll()
  }

  /// Starts a thread; false if the system has none left. Foundation's `Thread` does not report this.
  func startHelper(_ index: Int) -> Bool {
    let start = Unmanaged.passRetained(HelperStart(state: self, index: index))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // Much less than the default is enough, and matters where the address space is limited.
    pthread_attr_setstacksize(&attributes, 2 << 20)
    #if os(Linux)
      var thread = pthread_t()
    #else
      var thread: pthread_t?
    #endif
    let result = pthread_create(
      &thread, &attributes,
      { argument in
        #if os(Linux)
          guard let argument else { return nil }
        #endif
        let start = Unmanaged<HelperStart>.fromOpaque(argument).takeRetainedValue()
        start.state.help(as: start.index)
        return nil
      }, start.toOpaque())
    guard result == 0 else {
      start.release()
      return false
    }
    #if os(Linux)
      helpers.withLock { $0.append(thread) }
    #else
      if let thread { helpers.withLock { $0.append(thread) } }
    #endif
    return true
  }

  fileprivate func help(as index: Int) {
    var done = 0
    var looks = 0
    var start = ContinuousClock.now
    while !isStopping.load(ordering: .relaxed) {
      let state = gate.load(ordering: .acquiring)
      // Read after the gate: the number may be that of later work, which is then entered anyway or checked again.
      let next = number.load(ordering: .relaxed)
      if state & Self.isOpen != 0, next != done {
        guard gate.compareExchange(expected: state, desired: state + 1, ordering: .acquiringAndReleasing).exchanged
        else { continue }
        done = number.load(ordering: .relaxed)
        if let work, index < work.threads { work.body(index) }
        gate.wrappingSubtract(1, ordering: .releasing)
        (looks, start) = (0, .now)
      } else if isPatient, looks % Self.looksPerGlance != 0 || ContinuousClock.now - start < patience {
        pause(&looks)
      } else {
        sleep(after: done)
        (looks, start) = (0, .now)
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

  /// Waits a moment, and occasionally yields the processor to other threads.
  private func pause(_ looks: inout Int) {
    looks += 1
    if !isPatient || looks % 1024 == 0 { sched_yield() } else { rk_pause() }
  }

  /// The number of looks for work between two readings of the clock.
  private static let looksPerGlance = 32
}

/// The arguments of a helper when it starts.
private final class HelperStart: Sendable {
  let state: SharedState
  let index: Int

  init(state: SharedState, index: Int) { (self.state, self.index) = (state, index) }
}
