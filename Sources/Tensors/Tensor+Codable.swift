import RelevanceSupport

extension Tensor {
  /// Creates a tensor from unchecked extents and from elements in row-major order.
  ///
  /// - Throws: `RelevanceKitError` if an extent is negative, or if the number of elements does not match the extents.
  public init(dimensions: [Int], elements: [Float]) throws {
    let shape = try TensorShape(checking: dimensions)
    guard shape.count == elements.count else {
      throw SimpleError("a tensor of shape \(shape): expected \(shape.count) elements, found \(elements.count)")
    }
    self.init(shape: shape, elements: elements)
  }
}

extension Tensor: Codable {
  private enum Key: String, CodingKey { case shape, elements }

  /// Reads the output of `encode(to:)`.
  ///
  /// - Throws: `RelevanceKitError` if the number of elements does not match the shape; errors of the decoder.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    try self.init(
      dimensions: container.decode([Int].self, forKey: .shape),
      elements: container.decode([Float].self, forKey: .elements))
  }

  /// Writes the extents as `shape` and the `elements` in row-major order. For large tensors, `NumPyFile` is smaller and
  /// faster.
  ///
  /// - Throws: Errors of the encoder.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(shape.dimensions, forKey: .shape)
    try container.encode(elements, forKey: .elements)
  }
}

extension Tensor: CustomStringConvertible {
  /// One line with the shape and the first elements; for larger tensors, also their range and sum.
  ///
  /// - Complexity: O(`count`).
  public var description: String {
    let shown = 6
    let first = withUnsafeElements { $0.prefix(shown).map { "\($0)" } }.joined(separator: ", ")
    guard count > shown else { return "\(shape): [\(first)]" }
    let (least, most) = withUnsafeElements { ($0.min() ?? 0, $0.max() ?? 0) }
    return "\(shape): [\(first), …], from \(least) to \(most), sum \(Float(sum()))"
  }
}
