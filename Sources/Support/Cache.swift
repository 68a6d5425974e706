import Synchronization

/// What is made at the first request and kept; several threads may ask at once.
package final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let values = Mutex<[Key: Value]>([:])
  private let limit: Int

  /// A cache that is emptied before it would hold more than `limit` values: what is asked for ever anew must not fill memory.
  package init(limit: Int = .max) { self.limit = limit }

  /// All values that it holds.
  package var all: [Value] { values.withLock { Array($0.values) } }

  /// The value of a key, made by `make` at the first request.
  package func value(for key: Key, make: () throws -> Value) rethrows -> Value {
    if let found = values.withLock({ $0[key] }) { return found }
    // Made outside the lock: two threads may both do the work, and the first result stays.
    let made = try make()
    return values.withLock { values in
      if let found = values[key] { return found }
      if values.count >= limit { values.removeAll() }
      values[key] = made
      return made
    }
  }
}
