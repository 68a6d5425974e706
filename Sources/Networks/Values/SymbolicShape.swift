import RelevanceTensors

/// An extent that the model fixes, or an open one, which the input determines and which may have a name.
public enum SymbolicExtent: Hashable, Sendable, CustomStringConvertible {
  /// The extent that the model fixes.
  case fixed(Int)
  /// The name of an open extent, such as `batch`; empty if it has none.
  case symbolic(String)

  public var description: String {
    switch self {
    case .fixed(let extent): String(extent)
    case .symbolic(let name): name.isEmpty ? "?" : name
    }
  }
}

/// The shape of a network's input. Some of its extents may be open.
public struct SymbolicShape: Hashable, Sendable, CustomStringConvertible {
  /// The extents, outermost first.
  public let extents: [SymbolicExtent]
  /// Creates a shape.
  public init(_ extents: [SymbolicExtent]) { self.extents = extents }
  /// Whether a concrete shape fits.
  public func admits(_ shape: TensorShape) -> Bool {
    shape.rank == extents.count
      && zip(extents, shape.dimensions).allSatisfy { extent, found in
        if case .fixed(let expected) = extent { expected == found } else { found > 0 }
      }
  }
  /// A shape that fits: fixed extents, `batch` items, and `side` for an open height or width. The extents are smaller
  /// if there would be more elements than in a usual image.
  package func example(batch: Int = 1, side: Int = 224) -> TensorShape {
    for side in [side, 8, 2] {
      let shape = try? TensorShape(checking: dimensions(batch: batch, side: side))
      if let shape, shape.count <= Self.largestExample { return shape }
    }
    return TensorShape(dimensions(batch: 1, side: 1))
  }

  private func dimensions(batch: Int, side: Int) -> [Int] {
    extents.enumerated().map { axis, extent in
      if case .fixed(let extent) = extent { extent } else if axis == 0 { batch } else { side }
    }
  }

  private static let largestExample = 1 << 30

  /// Checks that the fixed extents are valid for a tensor.
  ///
  /// - Throws: `RelevanceKitError`.
  func checkFixedExtents() throws { _ = try TensorShape(checking: dimensions(batch: 1, side: 1)) }
  public var description: String { extents.map(\.description).joined(separator: "×") }
}
