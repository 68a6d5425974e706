import Dispatch
import Foundation
import Synchronization

/// Runs one computation at a time, each on all cores. Clients take turns, regardless of how many requests each of them
/// sends.
///
/// Computations run on a separate thread, so that the server remains responsive. Requests that are canceled while they
/// wait are removed.
public final class Turns: Sendable {
  private struct Waiting {
    let id: UInt64
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    /// The client whose request is being processed, or nil.
    var computing: String?
    var next: UInt64 = 0
    /// The waiting requests of each client, in order.
    var waiting: [String: [Waiting]] = [:]
    /// The waiting clients in the order of their turns, without the one whose request is being processed.
    var order: [String] = []
    var given: Set<UInt64> = []
    var count: Int { waiting.values.reduce(0) { $0 + $1.count } }
  }

  private let state = Mutex(State())
  private let thread = ComputingThread()
  /// The largest number of waiting requests.
  public let limit: Int

  public init(limit: Int = 128) { self.limit = limit }

  /// Runs a computation when it is the client's turn.
  ///
  /// - Throws: the errors of `body`; `ServiceError` if too many requests wait; `CancellationError` if the task is
  ///   canceled before its turn.
  public func run<Result: Sendable>(for client: String, _ body: @Sendable () throws -> Result) async throws -> Result {
    try await wait(as: client)
    defer { pass() }
    try Task.checkCancellation()
    return try await withTaskExecutorPreference(thread) { try body() }
  }

  /// Whether a request is being processed.
  public var isBusy: Bool { state.withLock { $0.computing != nil } }

  /// The number of waiting requests.
  public var waiting: Int { state.withLock { $0.count } }

  private func wait(as client: String) async throws {
    let id: UInt64? = try state.withLock { state in
      guard state.computing != nil else {
        state.computing = client
        return nil
      }
      guard state.count < limit else {
        throw ServiceError(.busy, "\(limit) requests are waiting already; try again later")
      }
      state.next += 1
      return state.next
    }
    guard let id else { return }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let isGone = state.withLock { state in
          if state.given.remove(id) != nil { return true }
          // The computation may have ended in the meantime.
          guard state.computing != nil else {
            state.computing = client
            continuation.resume()
            return false
          }
          if state.waiting[client] == nil, state.computing != client { state.order.append(client) }
          state.waiting[client, default: []].append(Waiting(id: id, continuation: continuation))
          return false
        }
        if isGone { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      leave(id)
    }
    state.withLock { _ = $0.given.remove(id) }
  }

  private func leave(_ id: UInt64) {
    let found: Waiting? = state.withLock { state in
      for (client, waiting) in state.waiting {
        guard let place = waiting.firstIndex(where: { $0.id == id }) else { continue }
        let found = state.waiting[client]!.remove(at: place)
        if state.waiting[client]!.isEmpty {
          state.waiting[client] = nil
          state.order.removeAll { $0 == client }
        }
        return found
      }
      state.given.insert(id)
      return nil
    }
    found?.continuation.resume(throwing: CancellationError())
  }

  /// Passes the turn to the next client. The current client moves to the end of the queue.
  private func pass() {
    let next: Waiting? = state.withLock { state in
      if let last = state.computing, state.waiting[last] != nil { state.order.append(last) }
      state.computing = state.order.isEmpty ? nil : state.order.removeFirst()
      guard let client = state.computing else { return nil }
      let next = state.waiting[client]!.removeFirst()
      if state.waiting[client]!.isEmpty { state.waiting[client] = nil }
      return next
    }
    next?.continuation.resume()
  }
}

/// A thread for computations, so that they do not block Swift's cooperative threads.
final class ComputingThread: TaskExecutor {
  private let queue = DispatchQueue(label: "relevance-explorer.computing")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }
}
