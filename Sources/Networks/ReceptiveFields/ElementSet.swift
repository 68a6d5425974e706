import RelevanceTensors

/// A set of elements of a tensor, as a union of blocks.
///
/// In convolutional networks, sets of elements are one block or a few. Their memory and time are therefore proportional
/// to a tensor's extents, not to its elements.
package struct ElementSet: Sendable {
  /// Elements at all combinations of some indices along each axis.
  package struct Block: Hashable, Sendable {
    /// For each axis and each index along it, whether the block includes the index.
    package var axes: [[Bool]]
  }

  package let shape: TensorShape
  /// The blocks that make up the set. They may overlap.
  package private(set) var blocks: [Block] = []
  /// Whether the set would also include padding around some tensor.
  package var meetsPadding = false
  /// The number of blocks from which on they are computed again as disjoint blocks.
  private var limit = 64

  /// Creates an empty set of elements of a tensor.
  package init(noneOf shape: TensorShape) { self.shape = shape }

  /// Creates the set of all elements of a tensor.
  package init(allOf shape: TensorShape) {
    self.shape = shape
    insert(Block(axes: shape.dimensions.map { [Bool](repeating: true, count: $0) }))
  }

  /// Creates the set of the marked elements, in row-major order.
  package init(_ shape: TensorShape, flags: [Bool]) {
    self.shape = shape
    blocks = Block.covering(flags[...], shape.dimensions[...])
  }

  package var isEmpty: Bool { blocks.isEmpty }

  /// Adds the elements of a block.
  package mutating func insert(_ block: Block) {
    guard !block.isEmpty else { return }
    var block = block
    var index = 0
    while index < blocks.count {
      if blocks[index].contains(block) { return }
      // After it has grown, the block may also join with blocks that were compared before.
      if let joined = block.joined(with: blocks[index]) {
        block = joined
        blocks.remove(at: index)
        index = 0
      } else {
        index += 1
      }
    }
    blocks.append(block)
    if blocks.count > limit {
      blocks = Block.covering(flags[...], shape.dimensions[...])
      limit = max(limit, 2 * blocks.count)
    }
  }

  /// Adds the elements of another set of elements of the same tensor.
  package mutating func formUnion(_ other: ElementSet) {
    meetsPadding = meetsPadding || other.meetsPadding
    for block in other.blocks { insert(block) }
  }

  /// For each element, in row-major order, whether it is in the set.
  ///
  /// - Complexity: O(elements).
  package var flags: [Bool] {
    var flags = [Bool](repeating: false, count: shape.count)
    for block in blocks { for place in block.places(in: shape) { flags[place] = true } }
    return flags
  }

  /// The union of the transformed blocks. Blocks for which the function returns nil are left out.
  package func mapped(to shape: TensorShape, _ transform: (Block) throws -> [[Bool]]?) rethrows -> ElementSet {
    var result = ElementSet(noneOf: shape)
    for block in blocks { if let axes = try transform(block) { result.insert(Block(axes: axes)) } }
    return result
  }
}

extension ElementSet.Block {
  var isEmpty: Bool { axes.contains { !$0.contains(true) } }

  /// The elements' indices in row-major order, in a tensor of a shape.
  func places(in shape: TensorShape) -> [Int] {
    zip(axes, shape.strides).reduce([0]) { places, axis in
      let offsets = axis.0.indices.filter { axis.0[$0] }.map { $0 * axis.1 }
      return places.flatMap { place in offsets.map { place + $0 } }
    }
  }

  func contains(_ other: Self) -> Bool {
    zip(axes, other.axes).allSatisfy { zip($0, $1).allSatisfy { $0 || !$1 } }
  }

  /// The block of exactly the elements of both blocks; nil if there is none.
  func joined(with other: Self) -> Self? {
    if contains(other) { return self }
    let differing = axes.indices.filter { axes[$0] != other.axes[$0] }
    guard differing.count == 1 else { return nil }
    var joined = self
    joined.axes[differing[0]] = zip(axes[differing[0]], other.axes[differing[0]]).map { $0 || $1 }
    return joined
  }

  /// Disjoint blocks of the marked elements. Indices of the first axis with the same elements after them share a block.
  static func covering(_ flags: ArraySlice<Bool>, _ extents: ArraySlice<Int>) -> [Self] {
    guard let extent = extents.first else { return flags.first == true ? [Self(axes: [])] : [] }
    let inner = flags.count / max(extent, 1)
    var places: [ArraySlice<Bool>: Int] = [:]
    var distinct: [(elements: ArraySlice<Bool>, indices: [Bool])] = []
    for index in 0..<extent {
      let start = flags.startIndex + index * inner
      let elements = flags[start..<start + inner]
      guard elements.contains(true) else { continue }
      let place = places[elements] ?? distinct.count
      if place == distinct.count {
        places[elements] = place
        distinct.append((elements, [Bool](repeating: false, count: extent)))
      }
      distinct[place].indices[index] = true
    }
    return distinct.flatMap { part in
      covering(part.elements, extents.dropFirst()).map { Self(axes: [part.indices] + $0.axes) }
    }
  }
}
