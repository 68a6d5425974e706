import Synchronization

/// A cache of values that are created on first use. Several threads may use it at once.
package final class Cache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private let values = Mutex<[Key: Value]>([:])
  private let limit: Int

  /// Creates a cache that is emptied before it would contain more than `limit` values, so that it cannot fill the
  /// memory.
  package init(limit: Int = .max) { self.limit = limit }

  /// All cached values.
  package var all: [Value] { values.withLock { Array($0.values) } }

  /// The value of a key, created by `make` on first use.
  package func value(for key: Key, make: () throws -> Value) rethrows -> Value {
    if let found = values.withLock({ $0[key] }) { return found }
    // Created outside the lock. Two threads may both do the work; the first result is kept.
    let made = try make()
    return values.withLock { values in
      if let found = values[key] { return found }
      if values.count >= limit { values.removeAll() }
      values[key] = made
      return made
    }
  }
}
