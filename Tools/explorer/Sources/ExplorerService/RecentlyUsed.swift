/// A cache with a size limit. When it exceeds the limit, the least recently used values are removed.
package struct RecentlyUsed<Key: Hashable, Value> {
  private struct Entry {
    var value: Value
    var size: Int
    var used: UInt64
  }

  package let limit: Int
  private var entries: [Key: Entry] = [:]
  private var clock: UInt64 = 0
  /// The total size of all values.
  package private(set) var size = 0

  package init(limit: Int) { self.limit = limit }

  package var count: Int { entries.count }

  /// The key of a value that fulfills a condition.
  package func first(where condition: (Value) -> Bool) -> Key? { entries.first { condition($0.value.value) }?.key }

  /// The value for a key, which is then the most recently used.
  package mutating func value(for key: Key) -> Value? {
    clock += 1
    entries[key]?.used = clock
    return entries[key]?.value
  }

  /// Stores a value with its size, or updates both. A value larger than the limit is not stored.
  package mutating func keep(_ value: Value, for key: Key, size newSize: Int) {
    remove(key)
    guard newSize <= limit else { return }
    clock += 1
    entries[key] = Entry(value: value, size: newSize, used: clock)
    size += newSize
    while size > limit, let oldest = entries.min(by: { $0.value.used < $1.value.used })?.key { remove(oldest) }
  }

  private mutating func remove(_ key: Key) {
    if let entry = entries.removeValue(forKey: key) { size -= entry.size }
  }
}
