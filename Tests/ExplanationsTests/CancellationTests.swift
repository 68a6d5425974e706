import Foundation
import RelevanceKit
import Synchronization
import RelevanceTestSupport
import Testing

/// A canceled task stops at the next sample, group of targets, rule or item.
@Suite struct CancellationTests {
  /// A method that cancels its task after a number of targets, and counts them.
  private final class Counter: Sendable {
    let value = Mutex(0)
    func next() -> Int {
      value.withLock {
        $0 += 1
        return $0
      }
    }
  }

  /// Runs `body` in a task that is already canceled.
  private func canceled(_ body: @escaping @Sendable () throws -> Void) async -> (any Error)? {
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      do { try body() } catch { return error as (any Error)? }
      return nil
    }
    return await task.value
  }

  @Test func longOperationsStop() async throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    let lab = RuleLab(trace)
    func expectStop(_ name: String, _ job: @escaping @Sendable () throws -> Void) async {
      let error = await canceled(job)
      #expect(error is CancellationError, "\(name): \(error.map { "\($0)" } ?? "not stopped")")
    }
    for method in MethodCatalog.general where !(method is RandomMap) {
      await expectStop(method.name) { _ = try trace.explain(.class(0), by: method) }
    }
    await expectStop("lab") { _ = try lab.experiment([ZRule(), ZPlusRule()], at: "conv1", seed: .channel(0)) }
    await expectStop("units") { _ = try UnitStudy(trace, at: "fc") }
    await expectStop("walk") { _ = try trace.propagate(trace.activation(at: "relu1"), from: "relu1") }
  }

  /// A run of a million samples would take hours, and the noise of all of them terabytes.
  @Test(.timeLimit(.minutes(1))) func longRunsStopWithinASample() async throws {
    let trace = try SampleNetwork.flattened.explainer().trace(SampleNetwork.input())
    let task = Task.detached { try trace.explain(.class(0), by: SmoothGrad(samples: 1_000_000)) }
    try await Task.sleep(for: .milliseconds(50))
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  /// Targets beyond the memory budget are explained in groups, and a run stops between groups.
  @Test func groupsOfTargetsStop() async throws {
    let explainer = try Explainer(SampleNetwork.flattened.network(), memoryBudget: 1)
    let trace = try explainer.trace(SampleNetwork.input())
    let counter = Counter()
    struct Canceling: AttributionMethod {
      static let name = "canceling"
      var counter = Counter()
      init() {}
      func seeds(for targets: [Target], in trace: Trace) throws -> Seeds {
        if counter.next() == 3 { withUnsafeCurrentTask { $0?.cancel() } }
        return try Seeds(of: targets, in: trace) { $0.add($0.signs) }
      }
    }
    var method = Canceling()
    method.counter = counter
    let task = Task { [method] in try trace.explain((0..<7).map { .class($0) }, by: method) }
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(counter.value.withLock { $0 } == 3)
  }
}
