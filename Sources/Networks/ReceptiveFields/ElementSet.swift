import RelevanceTensors

/// A set of elements of a tensor, as a union of blocks.
///
/// In convolutional networks sets of elements are blocks, or few of them; so they take the space and the time of a tensor's extents, not of
/// its elements.
package struct ElementSet: Sendable {
  /// Elements at all combinations of some indices along each axis.
  package struct Block: Hashable, Sendable {
    /// For each axis, and each index along it, whether it is one of them.
    package var axes: [[Bool]]
  }

  package let shape: TensorShape
  /// Blocks that make up the set; they may overlap.
  package private(set) var blocks: [Block] = []
  /// Whether padding around some tensor would belong to the set too.
  package var meetsPadding = false
  /// The number of blocks from which on they are made anew.
  private var limit = 64

  /// No elements of a tensor.
  package init(noneOf shape: TensorShape) { self.shape = shape }

  /// All elements of a tensor.
  package init(allOf shape: TensorShape) {
    self.shape = shape
    insert(Block(axes: shape.dimensions.map { [Bool](repeating: true, count: $0) }))
  }

  /// The elements that are marked, in row-major order.
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
      // What it has grown by may be what keeps it apart from blocks that have been looked at.
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

  /// The union of what becomes of each block; nothing becomes of one for which the function gives nil.
  package func mapped(to shape: TensorShape, _ transform: (Block) throws -> [[Bool]]?) rethrows -> ElementSet {
    var result = ElementSet(noneOf: shape)
    for block in blocks { if let axes = try transform(block) { result.insert(Block(axes: axes)) } }
    return result
  }
}

extension ElementSet.Block {
  var isEmpty: Bool { axes.contains { !$0.contains(true) } }

  /// The elements' numbers in row-major order, in a tensor of a shape.
  func places(in shape: TensorShape) -> [Int] {
    zip(axes, shape.strides).reduce([0]) { places, axis in
      let offsets = axis.0.indices.filter { axis.0[$0] }.map { $0 * axis.1 }
      return places.flatMap { place in offsets.map { place + $0 } }
    }
  }

  func contains(_ other: Self) -> Bool {
    zip(axes, other.axes).allSatisfy { zip($0, $1).allSatisfy { $0 || !$1 } }
  }

  /// The block of exactly the elements of both; nil if that is none.
  func joined(with other: Self) -> Self? {
    if contains(other) { return self }
    let differing = axes.indices.filter { axes[$0] != other.axes[$0] }
    guard differing.count == 1 else { return nil }
    var joined = self
    joined.axes[differing[0]] = zip(axes[differing[0]], other.axes[differing[0]]).map { $0 || $1 }
    return joined
  }

  /// Disjoint blocks of the elements that are marked: indices of the first axis with the same elements behind them are one block's.
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
