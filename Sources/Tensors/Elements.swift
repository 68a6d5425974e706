/// The elements of a tensor for reading, in row-major order: a view that keeps its memory alive.
///
/// A view is as cheap to create and to pass on as a reference. Its subscript is checked in every configuration.
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

  /// A part of the view: `count` elements from `first` on.
  @inlinable package func run(from first: Int, count: Int) -> Elements {
    precondition(first >= 0 && count >= 0 && first <= self.count - count, "the run leaves the view")
    return Elements(storage, start + first, count: count)
  }

  /// Calls `body` with a pointer to the elements, for C functions.
  @inlinable package func withPointer<Result>(_ body: (UnsafePointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(start) }
  }

  /// Calls `body` with pointers to the elements of some views.
  package static func withPointers<Result>(
    _ views: [Elements], _ body: ([UnsafePointer<Float>]) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(views) { try body(views.map(\.start)) }
  }

  /// Calls `body` with pointers to the elements of some views, of which some are missing.
  package static func withPointers<Result>(
    _ views: [Elements?], _ body: ([UnsafePointer<Float>?]) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(views) { try body(views.map { $0?.start }) }
  }
}

/// The elements of a tensor for writing: see `Tensor.update(_:)`.
///
/// Concurrent tasks may share a view. They write to different elements.
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

  /// A part of the view: `count` elements from `first` on.
  @inlinable package func run(from first: Int, count: Int) -> MutableElements {
    precondition(first >= 0 && count >= 0 && first <= self.count - count, "the run leaves the view")
    return MutableElements(storage, start + first, count: count)
  }

  package func fill(with value: Float) { start.update(repeating: value, count: count) }

  /// Calls `body` with a pointer to the elements, for C functions.
  @inlinable
  package func withPointer<Result>(_ body: (UnsafeMutablePointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) { try body(start) }
  }

  /// Calls `body` with pointers to the elements of some views.
  package static func withPointers<Result>(
    _ views: [MutableElements?], _ body: ([UnsafeMutablePointer<Float>?]) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(views) { try body(views.map { $0?.start }) }
  }

  /// Calls `body` with pointers to the elements of this view and of a view of the same length, and with their number,
  /// for C functions.
  @inlinable package func withPointers(
    beside other: Elements, _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, Int) -> Void
  ) {
    precondition(other.count == count, "the views differ in length")
    withPointer { own in other.withPointer { body(own, $0, count) } }
  }
}

extension Tensor {
  /// Creates a tensor. `body` must write all of its elements.
  package init(_ shape: TensorShape, writing body: (MutableElements) throws -> Void) rethrows {
    self.init(shape: shape, storage: TensorStorage(count: shape.count))
    try update(body)
  }

  package var view: Elements { Elements(storage, storage.base + offset, count: count) }

  /// Calls `body` with the elements for writing. Shared memory is copied first.
  ///
  /// - Complexity: O(`count`) if the memory is shared or borrowed, otherwise O(1).
  package mutating func update<Result>(_ body: (MutableElements) throws -> Result) rethrows -> Result {
    makeUnique()
    return try body(MutableElements(storage, storage.base + offset, count: count))
  }
}
