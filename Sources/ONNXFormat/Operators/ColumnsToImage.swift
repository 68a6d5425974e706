import RelevanceNetworks
import RelevanceSupport
import RelevanceTensors

extension NodeReader {
  /// Col2Im: sums overlapping blocks of an image. For each pixel, the elements from all blocks are gathered, with zeros
  /// where fewer blocks overlap than elsewhere, and summed.
  func columnsToImage() throws -> Imported {
    let x = try operand(0, "input")
    try expect(x, rank: 3, "input")
    let image = try extents(1, "image_shape")
    let block = try extents(2, "block_shape")
    guard image.count == block.count, !image.isEmpty else {
      throw Defect("image_shape is \(image) and block_shape \(block); expected the same number of extents")
    }
    let window = try window(kernel: block)
    let blocks: (outputs: [Int], before: [Int])
    let sum: (pixels: TensorShape, columns: TensorShape)
    do {
      blocks = try window.placement(over: image)
      sum = (try TensorShape(checking: image), try TensorShape(checking: block + blocks.outputs))
    } catch let error as any RelevanceKitError {
      throw Defect(error.description)
    }
    guard sum.pixels.count <= 1 << 26, sum.columns.count <= 1 << 26 else {
      throw Unsupported(
        "the image has \(sum.pixels) pixels from \(sum.columns) block elements; expected a smaller image")
    }
    let places = image.indices.map { axis in
      Self.places(
        image[axis], block[axis], blocks.outputs[axis], step: window.strides[axis], dilation: window.dilations[axis],
        before: blocks.before[axis])
    }
    let most = places.map { $0.map(\.count).max() ?? 0 }.reduce(1, *)
    guard most > 0, sum.pixels.count * most <= 1 << 26 else {
      throw Unsupported("up to \(most) blocks overlap at \(sum.pixels.count) pixels; expected a smaller image")
    }
    // An additional element at the end is 0.
    var indices: [Int] = []
    for pixel in 0..<sum.pixels.count {
      var found = [0]
      for axis in image.indices {
        let own = places[axis][pixel / sum.pixels.strides[axis] % image[axis]]
        let (offset, index) = (sum.columns.strides[axis], sum.columns.strides[image.count + axis])
        found = found.flatMap { start in own.map { start + $0.offset * offset + $0.block * index } }
      }
      indices += found + [Int](repeating: sum.columns.count, count: most - found.count)
    }
    let taken = IntegerTensor(shape: [sum.pixels.count, most], elements: indices)
    var recipe = Recipe()
    let columns = recipe.apply(
      [
        Reshape(extents: .fixed([0, -1, sum.columns.count]), allowZero: false),
        Pad(amounts: .fixed([0, 0, 0, 0, 0, 1])),
      ], to: .operand(x))
    let gathered = recipe.apply(Gather(axis: 2), columns, constant(.integers(taken)))
    let sums = recipe.apply(Reduction(.sum, axes: .fixed([3]), keepsAxes: false), gathered)
    recipe.apply(Reshape(extents: .fixed([0, 0] + image), allowZero: false), sums)
    return .recipe(recipe)
  }

  private func extents(_ index: Int, _ label: String) throws -> [Int] {
    let list = try known(operand(index, label), else: "input \(label) is computed from the image; expected a constant")
    let extents = try list.integers()
    guard extents.allSatisfy({ $0 > 0 && $0 <= Int(Int32.max) }) else {
      throw Defect("\(label) is \(extents); expected positive numbers")
    }
    return extents
  }

  /// For each pixel along an axis, the blocks that contain it and its position in them.
  private static func places(
    _ extent: Int, _ size: Int, _ blocks: Int, step: Int, dilation: Int, before: Int
  ) -> [[(offset: Int, block: Int)]] {
    var places = [[(offset: Int, block: Int)]](repeating: [], count: extent)
    for block in 0..<blocks {
      for offset in 0..<size {
        let pixel = block * step + offset * dilation - before
        if places.indices.contains(pixel) { places[pixel].append((offset, block)) }
      }
    }
    return places
  }
}
