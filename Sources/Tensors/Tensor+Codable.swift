import RelevanceSupport

extension Tensor {
  /// Makes a tensor from extents and elements that nobody vouches for, in row-major order.
  ///
  /// - Throws: `RelevanceKitError` if an extent is negative, or the elements are not as many as the extents say.
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

  /// Reads what `encode(to:)` writes.
  ///
  /// - Throws: `RelevanceKitError` if the elements do not fill the shape, and what the decoder throws.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    try self.init(
      dimensions: container.decode([Int].self, forKey: .shape),
      elements: container.decode([Float].self, forKey: .elements))
  }

  /// Writes the extents as `shape`, and the `elements` in row-major order. For large tensors `NumPyFile` is smaller and faster.
  ///
  /// - Throws: What the encoder throws.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(shape.dimensions, forKey: .shape)
    try container.encode(elements, forKey: .elements)
  }
}

extension Tensor: CustomStringConvertible {
  /// One line: the shape, the first elements, and of larger tensors their range and sum.
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
