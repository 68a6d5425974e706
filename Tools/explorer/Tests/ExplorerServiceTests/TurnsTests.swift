import ExplorerService
import Foundation
import Synchronization
import Testing

/// Blocks a computation until it is opened.
private final class Gate: Sendable {
  private let isOpen = Atomic(false)
  func open() { isOpen.store(true, ordering: .releasing) }
  func pass() { while !isOpen.load(ordering: .acquiring) { usleep(100) } }
}

/// Records events in order.
private final class Record: Sendable {
  private let names = Mutex<[String]>([])
  func add(_ name: String) { names.withLock { $0.append(name) } }
  var all: [String] { names.withLock { $0 } }
}

private final class Counter: Sendable {
  private let value = Atomic(0)
  /// Adds a number, and returns the old value.
  func add(_ number: Int) -> Int { value.add(number, ordering: .relaxed).oldValue }
}

@Suite("Turns")
struct TurnsTests {
  /// Waits until `count` requests are waiting.
  private func wait(for count: Int, in turns: Turns) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while turns.waiting != count {
      try #require(ContinuousClock.now < end)
      try await Task.sleep(for: .milliseconds(1))
    }
  }

  @Test("one computation runs at a time")
  func excludesOthers() async throws {
    let turns = Turns()
    let running = Counter()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for client in 0..<40 {
        group.addTask {
          try await turns.run(for: "\(client % 4)") {
            let others = running.add(1)
            usleep(200)
            _ = running.add(-1)
            return others == 0
          }
        }
      }
      for try await isAlone in group { #expect(isAlone) }
    }
  }

  @Test("a client with many requests gets every second turn")
  func isFair() async throws {
    let turns = Turns()
    let order = Record()
    let gate = Gate()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        try await turns.run(for: "first") { gate.pass() }
      }
      while !turns.isBusy { await Task.yield() }
      for number in 0..<5 {
        group.addTask { try await turns.run(for: "many") { order.add("many") } }
        try await wait(for: number + 1, in: turns)
      }
      for number in 0..<2 {
        group.addTask { try await turns.run(for: "few") { order.add("few") } }
        try await wait(for: 6 + number, in: turns)
      }
      gate.open()
      try await group.waitForAll()
    }
    #expect(order.all == ["many", "few", "many", "few", "many", "many", "many"])
  }

  @Test("a request that is canceled while it waits is removed, and the next one has its turn")
  func cancels() async throws {
    let turns = Turns()
    let gate = Gate()
    let first = Task { try await turns.run(for: "a") { gate.pass() } }
    while !turns.isBusy { await Task.yield() }
    let given = Task { try await turns.run(for: "b") { Issue.record("computed a canceled request") } }
    try await wait(for: 1, in: turns)
    let last = Task { try await turns.run(for: "c") { 3 } }
    try await wait(for: 2, in: turns)
    given.cancel()
    await #expect(throws: CancellationError.self) { try await given.value }
    gate.open()
    try await first.value
    #expect(try await last.value == 3)
    #expect(!turns.isBusy)
  }

  @Test("requests beyond the limit are rejected")
  func isBounded() async throws {
    let turns = Turns(limit: 2)
    let gate = Gate()
    let first = Task { try await turns.run(for: "a") { gate.pass() } }
    while !turns.isBusy { await Task.yield() }
    let waiting = (0..<2).map { number in Task { try await turns.run(for: "b") { number } } }
    try await wait(for: 2, in: turns)
    await #expect {
      try await turns.run(for: "c") {}
    } throws: { ($0 as? ServiceError)?.kind == .busy }
    gate.open()
    try await first.value
    for (number, task) in waiting.enumerated() { #expect(try await task.value == number) }
  }

  @Test("canceling a task cancels its computation")
  func passesCancellationOn() async throws {
    let turns = Turns()
    let task = Task {
      try await turns.run(for: "a") {
        while true {
          try Task.checkCancellation()
          usleep(200)
        }
      }
    }
    while !turns.isBusy { await Task.yield() }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(!turns.isBusy)
  }
}
