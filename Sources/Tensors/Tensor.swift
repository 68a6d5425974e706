/// A dense array of `Float` in row-major order, with value semantics.
///
/// Copies share memory until one of them is changed. Images and activations are laid out batch × channels × height ×
/// width. A tensor may also be a view of memory that it does not own (a mapped model file, a trace's activations).
/// Writing to such a tensor copies it first.
public struct Tensor: Sendable {
  /// The extents.
  public let shape: TensorShape
  package private(set) var storage: TensorStorage
  package private(set) var offset: Int

  /// Creates a tensor filled with one value.
  public init(shape: TensorShape, repeating value: Float = 0) {
    self.init(uninitialized: shape) { $0.update(repeating: value) }
  }

  /// Creates a tensor from its elements in row-major order. Traps unless there are `shape.count` elements.
  public init(shape: TensorShape, elements: [Float]) {
    precondition(elements.count == shape.count, "\(elements.count) elements do not fill a tensor of shape \(shape)")
    self.init(uninitialized: shape) { buffer in
      if let source = elements.withUnsafeBufferPointer({ $0.baseAddress }), !elements.isEmpty {
        buffer.baseAddress!.update(from: source, count: elements.count)
      }
    }
  }

  /// Creates a tensor. `body` must write all of its elements.
  ///
  /// - Throws: Errors of `body`.
  public init(uninitialized shape: TensorShape, _ body: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
    self.shape = shape
    self.storage = TensorStorage(count: shape.count)
    self.offset = 0
    try body(UnsafeMutableBufferPointer(start: storage.base, count: shape.count))
  }

  /// Creates a view of part of a storage.
  package init(shape: TensorShape, storage: TensorStorage, offset: Int = 0) {
    precondition(offset >= 0 && shape.count <= storage.count - offset, "the view leaves its storage")
    (self.shape, self.storage, self.offset) = (shape, storage, offset)
  }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The elements in row-major order.
  ///
  /// - Complexity: O(`count`): a copy.
  public var elements: [Float] { withUnsafeElements { Array($0) } }

  /// Calls `body` with the elements in row-major order.
  ///
  /// - Throws: Errors of `body`.
  public func withUnsafeElements<Result>(_ body: (UnsafeBufferPointer<Float>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.base + offset, count: shape.count))
    }
  }

  /// Calls `body` with the elements for writing. Shared memory is copied first.
  ///
  /// - Complexity: O(`count`) if the memory is shared or borrowed, otherwise O(1).
  /// - Throws: Errors of `body`.
  public mutating func withUnsafeMutableElements<Result>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    makeUnique()
    return try withExtendedLifetime(storage) {
      try body(UnsafeMutableBufferPointer(start: storage.base + offset, count: shape.count))
    }
  }

  /// Copies memory that is shared or borrowed.
  mutating func makeUnique() {
    guard !storage.writable || !isKnownUniquelyReferenced(&storage) else { return }
    let own = TensorStorage(count: shape.count)
    own.base.update(from: storage.base + offset, count: shape.count)
    (storage, offset) = (own, 0)
  }

  /// The element at an index, one number per axis.
  public subscript(_ index: Int...) -> Float {
    get { withUnsafeElements { $0[position(of: index)] } }
    set {
      let position = position(of: index)
      withUnsafeMutableElements { $0[position] = newValue }
    }
  }

  /// The same elements with another shape. Traps unless the counts are equal. The memory is shared.
  public func reshaped(to shape: TensorShape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) does not reshape to \(shape)")
    return Tensor(shape: shape, storage: storage, offset: offset)
  }

  /// Item `index` of the batch, as a batch of one. The memory is shared.
  public func item(_ index: Int) -> Tensor {
    precondition(shape.rank > 0 && index >= 0 && index < shape[0], "no item \(index) in a batch of shape \(shape)")
    let item = shape.withBatch(1)
    return Tensor(shape: item, storage: storage, offset: offset + index * item.count)
  }

  /// One of several consecutive parts of equal size, as a list. The memory is shared.
  package func part(_ index: Int, of count: Int) -> Tensor {
    let length = self.count / max(count, 1)
    precondition(
      index >= 0 && index < count && length * count == self.count, "no part \(index) of \(count) of \(shape)")
    return Tensor(shape: [length], storage: storage, offset: offset + index * length)
  }

  private func position(of index: [Int]) -> Int {
    precondition(index.count == shape.rank, "\(index.count) indices for a tensor of shape \(shape)")
    var position = 0
    for (axis, i) in index.enumerated() {
      precondition(i >= 0 && i < shape[axis], "index \(i) is outside axis \(axis) of \(shape)")
      position = position * shape[axis] + i
    }
    return position
  }
}

extension Tensor: Equatable {
  /// Whether the shapes and all elements are equal (as floats: NaN is not equal to itself).
  public static func == (a: Tensor, b: Tensor) -> Bool {
    a.shape == b.shape && a.view.elementsEqual(b.view)
  }
}
