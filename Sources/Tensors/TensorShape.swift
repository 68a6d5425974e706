import RelevanceSupport

/// The extent of a tensor along each axis, outermost first. `[]` is a scalar.
///
/// Every extent is ≥ 0 and their product fits an `Int`. `init(checking:)` checks a shape from a file.
public struct TensorShape: Hashable, Sendable {
  /// The extents.
  public let dimensions: [Int]
  /// The number of elements: the product of the extents, 1 for a scalar.
  public let count: Int

  /// Creates a shape from valid extents. Traps if one is negative or the product overflows.
  public init(_ dimensions: [Int]) {
    guard let count = Self.product(of: dimensions) else { preconditionFailure("not a shape: \(dimensions)") }
    (self.dimensions, self.count) = (dimensions, count)
  }

  /// Creates a shape from unchecked extents. Throws if one is negative or the number of elements (or of bytes)
  /// overflows.
  package init(checking dimensions: [Int]) throws {
    guard let count = Self.product(of: dimensions) else {
      throw SimpleError(
        "\(dimensions) is not a tensor shape; expected extents ≥ 0 whose product fits in memory")
    }
    (self.dimensions, self.count) = (dimensions, count)
  }

  /// The number of axes.
  public var rank: Int { dimensions.count }

  /// The extent along `axis`; negative axes count from the end.
  public subscript(axis: Int) -> Int { dimensions[axis < 0 ? axis + rank : axis] }

  /// The number of elements for each index of the first axis; all elements if there is no axis or it is empty.
  package var itemCount: Int { count / max(dimensions.first ?? 1, 1) }

  /// The shape with another first extent: the same items in a batch of another size.
  package func withBatch(_ count: Int) -> TensorShape { TensorShape([count] + dimensions.dropFirst()) }

  /// The distance in elements between neighbors along each axis in row-major order.
  package var strides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) { strides[axis] = strides[axis + 1] * dimensions[axis + 1] }
    return strides
  }

  /// The index along each axis of an element, given its position in row-major order.
  package func coordinates(of place: Int) -> [Int] { zip(dimensions, strides).map { place / $1 % $0 } }

  /// The position of the element with an index along each axis; nil if there is none.
  package func place(of coordinates: [Int]) -> Int? {
    guard coordinates.count == rank, zip(coordinates, dimensions).allSatisfy({ (0..<$1).contains($0) }) else {
      return nil
    }
    return zip(coordinates, strides).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// The shape of an elementwise operation on the two shapes in NumPy and ONNX. Nil if they do not fit, or if the
  /// result would not fit in memory.
  package func broadcast(with other: TensorShape) -> TensorShape? {
    let rank = max(self.rank, other.rank)
    var result = [Int](repeating: 1, count: rank)
    for axis in 1...max(rank, 1) where rank > 0 {
      let a = axis <= self.rank ? dimensions[self.rank - axis] : 1
      let b = axis <= other.rank ? other.dimensions[other.rank - axis] : 1
      guard a == b || a == 1 || b == 1 else { return nil }
      result[rank - axis] = a == 1 ? b : a
    }
    return Self.product(of: result) == nil ? nil : TensorShape(result)
  }

  private static func product(of dimensions: [Int]) -> Int? {
    // Leaves room for the size in bytes. A zero extent must not hide an overflow of the others.
    var count = 1
    var empty = false
    for extent in dimensions {
      guard extent >= 0 else { return nil }
      if extent == 0 {
        empty = true
        continue
      }
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow, product <= Int.max / 16 else { return nil }
      count = product
    }
    return empty ? 0 : count
  }
}

extension TensorShape: ExpressibleByArrayLiteral {
  public init(arrayLiteral elements: Int...) { self.init(elements) }
}

extension TensorShape: CustomStringConvertible {
  /// The extents in the form `1×3×224×224`, or `scalar`.
  public var description: String { rank == 0 ? "scalar" : dimensions.map(String.init).joined(separator: "×") }
}
