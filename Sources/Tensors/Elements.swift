/// Elements of a tensor for reading, in row-major order: a view that keeps its memory alive.
///
/// A view is as cheap to make and to hand on as a reference. Its subscript is checked in every configuration.
package struct Elements: RandomAccessCollection, @unchecked Sendable {
  @usableFromInline let storage: TensorStorage
  @usableFromInline let start: UnsafePointer<Float>
  package let count: Int

  @inlinable init(_ storage: TensorStorage, _ start: UnsafePointer<Float>, count: Int) {
    (self.storage, self.start, self.count) = (storage, start, count)
  }

  @inlinable package var startIndex: Int { 0 }
  @inlinable package var endIndex: Int { count }
  @inlinable package subscript(position: Int) -> Float {
    precondition(position >= 0 && position < count, "the element is outside of the view")
    return start[position]
  }

  /// Part of the view: `count` elements from `first` on.
  @inlinable package func run(from first: Int, count: Int) -> Elements {
    precondition(first >= 0 && count >= 0 && first <= self.count - count, "the run leaves the view")
    return Elements(storage, start + first, count: count)
  }

  /// Calls `body` with where the elements lie, for functions in C.
  @inlinable package func withPointer<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(start) }
  }

  /// Calls `body` with where the elements of some views lie.
  package static func withPointers<Result>(
    _ views: [Elements], _ body: ([UnsafePointer<Float>]) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(views) { try body(views.map(\.start)) }
  }

  /// The same where some views are missing.
  package static func withPointers<Result>(
    _ views: [Elements?], _ body: ([UnsafePointer<Float>?]) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(views) { try body(views.map { $0?.start }) }
  }
}

/// Elements of a tensor for writing: see `Tensor.update(_:)`.
///
/// Tasks that run at the same time may share a view; they write to different elements.
package struct MutableElements: @unchecked Sendable {
  @usableFromInline let storage: TensorStorage
  @usableFromInline let start: UnsafeMutablePointer<Float>
  package let count: Int

  @inlinable init(_ storage: TensorStorage, _ start: UnsafeMutablePointer<Float>, count: Int) {
    (self.storage, self.start, self.count) = (storage, start, count)
  }

  @inlinable package var indices: Range<Int> { 0..<count }
  @inlinable package subscript(position: Int) -> Float {
    get {
      precondition(position >= 0 && position < count, "the element is outside of the view")
      return start[position]
    }
    nonmutating set {
      precondition(position >= 0 && position < count, "the element is outside of the view")
      start[position] = newValue
    }
  }

  /// Part of the view: `count` elements from `first` on.
  @inlinable package func run(from first: Int, count: Int) -> MutableElements {
    precondition(first >= 0 && count >= 0 && first <= self.count - count, "the run leaves the view")
    return MutableElements(storage, start + first, count: count)
  }

  package func fill(with value: Float) { start.update(repeating: value, count: count) }

  /// Calls `body` with where the elements lie, for functions in C.
  @inlinable
  package func withPointer<Result>(_ body: (UnsafeMutablePointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(start) }
  }

  /// Calls `body` with where the elements of some views lie.
  package static func withPointers<Result>(
    _ views: [MutableElements?], _ body: ([UnsafeMutablePointer<Float>?]) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(views) { try body(views.map { $0?.start }) }
  }

  /// Calls `body` with where the elements and those of a view of the same length lie, and how many there are, for functions in C.
  @inlinable package func withPointers(
    beside other: Elements, _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) {
    precondition(other.count == count, "the views differ in length")
    withPointer { own in other.withPointer { body(own, $0, count) } }
  }
}

extension Tensor {
  /// Makes a tensor all elements of which `body` must write.
  package init(_ shape: TensorShape, writing body: (MutableElements) throws -> Void) rethrows {
    self.init(shape: shape, storage: TensorStorage(count: shape.count))
    try update(body)
  }

  package var view: Elements { Elements(storage, storage.base + offset, count: count) }

  /// Calls `body` with the elements for writing, after making them this tensor's own.
  ///
  /// - Complexity: O(`count`) if the memory is shared or only borrowed, else O(1).
  package mutating func update<Result>(_ body: (MutableElements) throws -> Result) rethrows -> Result {
    makeUnique()
    return try body(MutableElements(storage, storage.base + offset, count: count))
  }
}
